"""Optimizers of other projects for bench/steering.ts: python peers.py <name> <seed>, with cma, optuna and cmaes installed.

The first line on stdin is a start in the unit cube, each further one the losses of the points that were asked last; each
line on stdout has points to score and the best one so far. The process ends with its stdin.
"""

import json
import sys

MERGEKIT_SIGMA = 1 / 6
"""In units of a weight."""
MERGEKIT_RANGE = 3
"""Of the weights of its search space here, which it does not bound itself."""


def mergekit_evolve(start, seed):
    """As mergekit's scripts/evolve.py calls cma.fmin2: the defaults of pycma, weights folded at zero."""
    import cma

    def decoded(x):
        return [min(1.0, abs(value) / MERGEKIT_RANGE) for value in x]

    first = [value * MERGEKIT_RANGE for value in start]
    strategy = cma.CMAEvolutionStrategy(first, MERGEKIT_SIGMA, {"seed": seed + 1, "verbose": -9})
    best = start
    while True:
        points = strategy.ask()
        losses = yield [decoded(x) for x in points], best
        strategy.tell(points, losses)
        best = decoded(strategy.result.xbest)


def optuna_by(sampler_of):
    """A study of Optuna; its first trial is the start, and each trial meets all rows."""

    def steps(start, seed):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        names = [f"x{j}" for j in range(len(start))]
        start_by_name = dict(zip(names, start))
        study = optuna.create_study(sampler=sampler_of(optuna.samplers, start_by_name, seed))
        study.enqueue_trial(start_by_name)
        best = start
        while True:
            trial = study.ask()
            losses = yield [[trial.suggest_float(name, 0, 1) for name in names]], best
            study.tell(trial, losses[0])
            best = [study.best_params[name] for name in names]

    return steps


PEERS = {
    "mergekit-evolve": mergekit_evolve,
    "optuna-tpe": optuna_by(lambda samplers, start, seed: samplers.TPESampler(seed=seed)),
    "optuna-cma-es": optuna_by(lambda samplers, start, seed: samplers.CmaEsSampler(x0=start, seed=seed)),
    "optuna-random": optuna_by(lambda samplers, start, seed: samplers.RandomSampler(seed=seed)),
}


def main(name, seed):
    steps = PEERS[name](json.loads(sys.stdin.readline()), int(seed))
    points, best = next(steps)
    while True:
        print(json.dumps({"points": [list(map(float, point)) for point in points], "best": best}), flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        points, best = steps.send(json.loads(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
