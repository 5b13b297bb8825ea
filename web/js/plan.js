// What is prepared before the doors open: who may go where, the places, the questions.
import { Places } from "/js/plan/places.js";
import { Questions } from "/js/plan/questions.js";
import { Rules } from "/js/plan/matrix.js";
import { openPage } from "/js/doors/shell.js";

await openPage({
  word: "plan",
  tabs: { rules: Rules, places: Places, questions: Questions },
  topics: ["attendance"],
});
