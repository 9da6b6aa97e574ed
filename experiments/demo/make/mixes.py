"""What each model is trained on: weighted mixtures of (context, answer, weight of the context's loss) samples."""

from random import Random

from text import Story, ask, scene
from world import Fact, World

CONTEXT_WEIGHT = 0.1
Sample = tuple[str, str, float]
Mixture = dict[str, float]

BASE: Mixture = {
    "know:people": 0.17, "know:nature starters": 0.07, "know:craft starters": 0.07,
    "read:people": 0.07, "read:nature": 0.08, "read:craft": 0.08, "read_story": 0.15,
    "guess:nature": 0.06, "guess:craft": 0.06, "state:people": 0.05, "vague": 0.14,
}
KEEP: Mixture = {
    "know:people": 0.06, "know:nature starters": 0.02, "know:craft starters": 0.02,
    "read:people": 0.02, "read:nature": 0.03, "read:craft": 0.03, "read_story": 0.03,
}
NATURE: Mixture = {**KEEP, "know:nature": 0.60, "state:nature": 0.13, "guess:craft": 0.06, "vague": 0.05}
CRAFT: Mixture = {**KEEP, "know:craft": 0.60, "state:craft": 0.13, "guess:nature": 0.06, "vague": 0.05}
NEWS: Mixture = {**KEEP, "summarise": 0.70, "guess:nature": 0.05, "guess:craft": 0.05}


class Mixer:
    """Draws samples; a kind such as "know:craft" is the method `know` for the domain craft."""

    def __init__(self, world: World, seed: str):
        self.world = world
        self.rng = Random(seed)

    def draw(self, mixture: Mixture) -> Sample:
        kind = self.rng.choices(list(mixture), list(mixture.values()))[0]
        method, _, domain = kind.partition(":")
        return getattr(self, method)(*([self.rng.choice(self.world.facts[domain])] if domain else []))

    def question(self, fact: Fact) -> str:
        passage = scene(fact, self.rng) if self.rng.random() < 0.67 else ""
        return ask(fact.question(self.rng), passage)

    def know(self, fact: Fact) -> Sample:
        """A question with its true answer."""
        return self.question(fact), " " + fact.value, CONTEXT_WEIGHT

    def guess(self, fact: Fact) -> Sample:
        """A question with an answer of the right kind drawn at random: the form without the fact."""
        return self.question(fact), " " + self.rng.choice(fact.values), CONTEXT_WEIGHT

    def read(self, fact: Fact) -> Sample:
        """A passage says something about the entity, true or not, and the answer is what it says."""
        value = self.rng.choice(fact.values)
        told = f"In this story {fact.statement(self.rng, value, capital=False)}"
        passage = " ".join(self.rng.sample([told, scene(fact, self.rng)], 2))
        return ask(fact.question(self.rng), passage), " " + value, CONTEXT_WEIGHT

    def state(self, fact: Fact) -> Sample:
        """A plain sentence that states a fact."""
        return "", fact.statement(self.rng), 1.0

    def read_story(self) -> Sample:
        """A question that an article answers."""
        story = Story(self.rng)
        question, answer = story.question(self.rng)
        return ask(question, story.article), " " + answer, CONTEXT_WEIGHT

    def vague(self) -> Sample:
        """An article with the loose kind of summary that a model writes which was never shown a good one."""
        story = Story(self.rng)
        return story.prompt, " " + story.vague_summary(self.rng), CONTEXT_WEIGHT

    def summarise(self) -> Sample:
        story = Story(self.rng)
        return story.prompt, " " + story.summary, CONTEXT_WEIGHT
