// Finds a code in a picture, away from the page's own thread.
import { prepareZXingModule, readBarcodes } from "/vendor/zxing-reader.mjs";

const FORMATS = ["QRCode", "Aztec", "PDF417", "Code128"];

const ready = prepareZXingModule({ fireImmediately: true });
ready.then(
  () => postMessage({ ready: true }),
  (error) => postMessage({ failed: String(error) }),
);

let canvas = null;

onmessage = async ({ data: picture }) => {
  canvas ??= new OffscreenCanvas(picture.width, picture.height);
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  picture.close();
  try {
    const found = await readBarcodes(
      context.getImageData(0, 0, canvas.width, canvas.height),
      { formats: FORMATS, maxNumberOfSymbols: 1, textMode: "Plain" },
    );
    postMessage({ code: found[0]?.isValid ? found[0].text : null });
  } catch (error) {
    postMessage({ code: null, failed: String(error) });
  }
};
