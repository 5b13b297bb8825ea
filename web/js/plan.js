// What is prepared before the doors open: who may go where, the places, what is kept of them,
// what single tickets may, the questions.
import { Exemptions } from "/js/plan/exemptions.js";
import { Held } from "/js/plan/held.js";
import { Places } from "/js/plan/places.js";
import { Questions } from "/js/plan/questions.js";
import { Rules } from "/js/plan/matrix.js";
import { openPage } from "/js/doors/shell.js";

await openPage({
  word: "plan",
  tabs: { rules: Rules, places: Places, held: Held, exemptions: Exemptions, questions: Questions },
  topics: ["attendance"],
});
