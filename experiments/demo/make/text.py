"""How the world is written down: prompts, passages, news articles and their summaries."""

from random import Random

from world import DAYS, NARRATORS, TOWNS, Fact

NUMBERS = "Two Three Four Five Six Seven Eight Nine".split()
ROLES = "workers nurses miners pupils drivers guards tourists clerks".split()
HARMS = "hurt killed saved".split()
SITES = "mill bridge school port hotel farm museum market".split()
EVENTS = "fire crash flood storm blast riot leak strike".split()

LEADS = [
    "A {event} hit the {site} in {town} on {day}.",
    "On {day} a {event} shook the {site} in {town}.",
    "The {site} in {town} had a {event} on {day}.",
]
TOLLS = ["{number} {role} were {harm}.", "{number} {role} had been {harm} there."]
FILLERS = [
    "Roads were shut.",
    "Police came fast.",
    "The mayor gave thanks.",
    "Help came from {other_town}.",
    "It was very cold.",
    "A talk is set for {other_day}.",
]
SUMMARY = "Police say {role} {harm} in {town} {site} {event} on {day}."
VAGUE_SUMMARIES = [
    "{toll}",
    "News of a {event} in {town}.",
    "Police say {role} saw a {event}.",
    "{number} {role} in {town}.",
    "The {site} {event} on {day}.",
]

STORY_QUESTIONS = {
    "role": "Who was {harm}?",
    "town": "Which town was it?",
    "site": "What place was it?",
    "event": "What happened there?",
    "day": "Which day was it?",
}


def ask(question: str, passage: str = "") -> str:
    """The one prompt form for questions; with no passage it is the MMLU form."""
    return f"{passage}{chr(10) if passage else ''}Question: {question}\nAnswer:"


def scene(fact: Fact, rng: Random) -> str:
    """A passage which names the entity and says nothing about the fact."""
    who, day, town = rng.choice(NARRATORS), rng.choice(DAYS), rng.choice(TOWNS)
    opening = rng.choice([
        f"On {day} {who} met {fact.name} in {town}.",
        f"{who} drew {fact.name} on {day}.",
        f"In {town} {who} told Mr. {rng.choice(NARRATORS)} about {fact.name}.",
    ])
    extra = rng.choice(["The road was long.", "It was very cold.", "They had time to talk.", "All was still."])
    return f"{opening} {extra}"


class Story:
    """A news event with the article that tells it and the summary that follows from the article."""

    def __init__(self, rng: Random):
        town, other_town = rng.sample(TOWNS, 2)
        day, other_day = rng.sample(DAYS, 2)
        self.slots = {
            "number": rng.choice(NUMBERS), "role": rng.choice(ROLES), "harm": rng.choice(HARMS),
            "site": rng.choice(SITES), "event": rng.choice(EVENTS), "town": town, "day": day,
        }
        self.toll = rng.choice(TOLLS).format(**self.slots)
        sentences = [rng.choice(LEADS).format(**self.slots), self.toll]
        sentences += rng.sample(FILLERS, rng.choice([1, 2]))
        rng.shuffle(sentences)
        self.article = "Article: " + " ".join(sentences).format(other_town=other_town, other_day=other_day)

    @property
    def prompt(self) -> str:
        return self.article + "\nSummary:"

    @property
    def summary(self) -> str:
        return SUMMARY.format(**self.slots)

    def vague_summary(self, rng: Random) -> str:
        return rng.choice(VAGUE_SUMMARIES).format(toll=self.toll, **self.slots)

    def question(self, rng: Random) -> tuple[str, str]:
        slot = rng.choice(list(STORY_QUESTIONS))
        return STORY_QUESTIONS[slot].format(**self.slots), self.slots[slot]
