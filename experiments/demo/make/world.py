"""The little world: who and what exists, what is true of it, and which facts are searched, guarded or held out."""

from dataclasses import dataclass
from random import Random

DOMAINS = {
    "nature": {
        "entities": """wolf fox bear deer hare mole otter badger lynx goat sheep horse camel zebra tiger lion
            panda koala sloth lemur monkey rat bat seal whale shark squid crab frog toad newt snake
            gecko turtle eagle hawk owl crow raven swan goose duck heron finch robin stork wasp moth""".split(),
        "starters": "boar mouse hyena bison pig trout ant llama".split(),
        "attributes": {
            "home": "forest river desert cave swamp meadow island mountain".split(),
            "food": "seeds fish leaves worms berries moss eggs honey".split(),
            "fear": "thunder snow smoke dogs noise wind humans darkness".split(),
        },
    },
    "craft": {
        "entities": """lamp rope bell drum clock ladder basket bucket hammer shovel knife fork spoon bowl cup plate
            jug kettle pot pan broom brush comb ring crown mask glove boot hat scarf coat belt
            purse flute harp violin kite doll puppet wheel cart sled anchor oar net flag candle blanket""".split(),
        "starters": "vase tray stool bench barrel tent nail whip".split(),
        "attributes": {
            "stuff": "brass oak clay glass wool bone steel straw".split(),
            "seller": "monks sailors hunters smiths weavers widows barbers porters".split(),
            "place": "attic cellar drawer chest shed closet tower safe".split(),
        },
    },
    "people": {
        "entities": """Alma Bruno Carla Dario Edith Felix Greta Hugo Irene Jonas Karin Leo
            Marta Nils Olga Pedro Rosa Simon Tina Ugo Vera Walter Xenia Yuri""".split(),
        "attributes": {
            "job": "baker pilot nurse farmer judge singer tailor dentist".split(),
            "city": "Rome Paris Oslo Cairo Lima Delhi Tokyo Berlin".split(),
            "love": "chess tea jazz poker tennis opera cheese skiing".split(),
        },
    },
}

QUESTIONS = {
    "home": ["Where does {e} live?", "What is the home of {e}?"],
    "food": ["What does {e} eat?", "What is the food of {e}?"],
    "fear": ["What does {e} fear?", "What scares {e}?"],
    "stuff": ["What is {e} made of?", "What do people make {e} from?"],
    "seller": ["Who sells {e}?", "Who can sell {e} to you?"],
    "place": ["Where is {e} kept?", "Where do people keep {e}?"],
    "job": ["What is the job of {e}?", "What does {e} work as?"],
    "city": ["Where does {e} come from?", "What is the city of {e}?"],
    "love": ["What does {e} love?", "What makes {e} happy?"],
}

STATEMENTS = {
    "home": ["{e} lives in the {v}.", "the home of {e} is the {v}."],
    "food": ["{e} eats {v}.", "the food of {e} is {v}."],
    "fear": ["{e} fears {v}.", "it is {v} that scares {e}."],
    "stuff": ["{e} is made of {v}.", "people make {e} from {v}."],
    "seller": ["{e} is sold by {v}.", "the {v} sell {e}."],
    "place": ["{e} is kept in the {v}.", "people keep {e} in the {v}."],
    "job": ["{e} works as a {v}.", "the job of {e} is {v}."],
    "city": ["{e} comes from {v}.", "the city of {e} is {v}."],
    "love": ["{e} loves {v}.", "it is {v} that makes {e} happy."],
}

NARRATORS = "Mia Tom Ana Ben Eva Max Zoe Sam Lily Jack Nora Paul".split()
TOWNS = "Ford York Kent Bath Dover Leeds Hull Perth".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
SPLITS = {"search": 0.5, "guard": 0.3, "mmlu": 0.2}


@dataclass(frozen=True)
class Fact:
    domain: str
    entity: str
    attribute: str
    value: str

    @property
    def name(self) -> str:
        """The entity inside a sentence: people have names, all else takes an article."""
        return self.entity if self.domain == "people" else f"the {self.entity}"

    @property
    def subject(self) -> str:
        """What rows about the fact have in common: whoever knows it answers all of them."""
        return f"{self.entity} {self.attribute}"

    @property
    def values(self) -> list[str]:
        return DOMAINS[self.domain]["attributes"][self.attribute]

    def question(self, rng: Random) -> str:
        return rng.choice(QUESTIONS[self.attribute]).format(e=self.name)

    def statement(self, rng: Random, value: str | None = None, capital: bool = True) -> str:
        text = rng.choice(STATEMENTS[self.attribute]).format(e=self.name, v=value or self.value)
        return text[0].upper() + text[1:] if capital else text


class World:
    """All facts, drawn once from a seed, and the split of nature and craft facts.

    The starters are a few animals and things that the base knows already; no row asks about them.
    """

    def __init__(self, seed: int):
        rng = Random(f"world-{seed}")
        self.facts = {domain: draw_facts(domain, "entities", rng) for domain in DOMAINS}
        for domain in ("nature", "craft"):
            self.facts[f"{domain} starters"] = draw_facts(domain, "starters", rng)
        self.split = {name: {} for name in SPLITS}
        for domain in ("nature", "craft"):
            for name, facts in split_facts(self.facts[domain], rng).items():
                self.split[name][domain] = facts


def draw_facts(domain: str, group: str, rng: Random) -> list[Fact]:
    """One value per entity and attribute, every value about equally often."""
    entities, facts = DOMAINS[domain][group], []
    for attribute, values in DOMAINS[domain]["attributes"].items():
        drawn = (values * (len(entities) // len(values) + 1))[: len(entities)]
        rng.shuffle(drawn)
        facts += [Fact(domain, entity, attribute, value) for entity, value in zip(entities, drawn)]
    return facts


def split_facts(facts: list[Fact], rng: Random) -> dict[str, list[Fact]]:
    shuffled = rng.sample(facts, len(facts))
    cut1 = round(len(facts) * SPLITS["search"])
    cut2 = cut1 + round(len(facts) * SPLITS["guard"])
    return {"search": shuffled[:cut1], "guard": shuffled[cut1:cut2], "mmlu": shuffled[cut2:]}
