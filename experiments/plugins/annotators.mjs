/**
 * A task whose rows say how many annotators chose each answer: the loss is the cross-entropy with their shares, so that a model
 * which is sure where people are not pays for it. Beside it there is the Brier score, how far the probabilities are from their
 * shares. `format: annotators/votes`.
 *
 * @import { Plugin, TaskPlugin } from "evomerge"
 */

/** @type {TaskPlugin<{ readonly shares: readonly number[] }>} */
const votes = {
  columns: ["question", "answers", "votes"],

  row({ question, answers, votes: counts }) {
    if (typeof question !== "string" || !isListOf(answers, isText) || !isListOf(counts, isCount))
      throw new Error("expected a question, and lists of answers and of votes for them");
    if (answers.length < 2 || answers.length !== counts.length)
      throw new Error(
        `expected two answers or more and a number of votes for each, found ${answers.length} and ${counts.length}`,
      );
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) throw new Error("expected at least one vote");
    return {
      context: `Question: ${question}\nAnswer:`,
      answers,
      label: counts.indexOf(Math.max(...counts)),
      data: { shares: counts.map((count) => count / total) },
    };
  },

  loss({ data }, logLikelihoods) {
    const shares = data?.shares ?? [];
    const logs = logProbabilities(logLikelihoods);
    return {
      loss: logs.reduce((sum, value, i) => sum - (shares[i] ?? 0) * value, 0),
      derivatives: logs.map((value, i) => Math.exp(value) - (shares[i] ?? 0)),
    };
  },

  metrics: {
    brier: ({ data }, logLikelihoods) =>
      logProbabilities(logLikelihoods).reduce((sum, log, i) => sum + (Math.exp(log) - (data?.shares[i] ?? 0)) ** 2, 0),
  },
};

/** @param {readonly number[]} logLikelihoods */
function logProbabilities(logLikelihoods) {
  const largest = Math.max(...logLikelihoods);
  const total = largest + Math.log(logLikelihoods.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return logLikelihoods.map((value) => value - total);
}

/**
 * @template T
 * @param {unknown} value
 * @param {(item: unknown) => item is T} isItem
 * @returns {value is readonly T[]}
 */
function isListOf(value, isItem) {
  return Array.isArray(value) && value.every(isItem);
}

/**
 * @param {unknown} item
 * @returns {item is string}
 */
function isText(item) {
  return typeof item === "string";
}

/**
 * @param {unknown} item
 * @returns {item is number}
 */
function isCount(item) {
  return typeof item === "number" && Number.isInteger(item) && item >= 0;
}

/** @type {Plugin} */
export default { name: "annotators", version: "1.0.0", tasks: { votes } };
