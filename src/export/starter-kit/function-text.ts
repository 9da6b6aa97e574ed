/** The functions of a starter kit module as Python: tensors read from the Hub one at a time, and a model folder written. */
import { COMPANION_FILES } from "../../model-folder/companion-files.ts";
import { QUANTIZATION_FIELDS } from "../exported-config.ts";
import { pythonString } from "./python-literal.ts";

/** The Hub is asked for each by its name, so that licences have their usual ones. */
const carriedOver = [...COMPANION_FILES, "LICENSE", "LICENSE.txt", "NOTICE"]
  .map((name) => `    ${pythonString(name)},\n`)
  .join("");

const quantizationFields = QUANTIZATION_FIELDS.map(pythonString).join(", ");

/** What the class calls, below it. */
export const functions = String.raw`
def tensors():
    """Name, group, layer and dtype of each tensor: those outside the layers, then layer by layer."""
    placed = [
        (template.format(layer), group, layer, dtype)
        for template, group, dtype, layers in TENSORS
        for layer in layers
    ]
    return sorted(placed, key=lambda tensor: -1 if tensor[2] is None else tensor[2])


class Weights:
    """Tensors of a repository's safetensors files; a shard is downloaded when the first of its tensors is read."""

    def __init__(self, repository, commit):
        self.repository = repository
        self.commit = commit
        self.files = {}
        try:
            download(repository, commit, "model.safetensors")
            self.shards = None
        except EntryNotFoundError:
            with open(download(repository, commit, "model.safetensors.index.json")) as index:
                self.shards = json.load(index)["weight_map"]

    def read(self, name):
        file = "model.safetensors" if self.shards is None else self.shards[name]
        if file not in self.files:
            self.files[file] = safe_open(download(self.repository, self.commit, file), framework="pt")
        return self.files[file].get_tensor(name)


def download(repository, commit, file):
    return hf_hub_download(repository, file, revision=commit, token=hub_token())


def hub_token():
    return os.environ.get("HF_AUTH_TOKEN") or os.environ.get("HF_TOKEN") or None


# What a config.json may say of quantized weights; those that were merged are plain.
QUANTIZATION_FIELDS = [${quantizationFields}]


def plain_config(repository, commit):
    config = AutoConfig.from_pretrained(repository, revision=commit, token=hub_token())
    for field in QUANTIZATION_FIELDS:
        if hasattr(config, field):
            delattr(config, field)
    return config


def write_plain_config(path):
    with open(path) as source:
        config = json.load(source)
    plain = {field: value for field, value in config.items() if field not in QUANTIZATION_FIELDS}
    if plain != config:
        with open(path, "w") as target:
            json.dump(plain, target, indent=2)


def kit_scoring():
    return os.environ.get("KIT_SCORING") == "1"


def listed(choices):
    """A list of choices; the CSV files of the kit have it as Python source."""
    return ast.literal_eval(choices) if isinstance(choices, str) else choices


def export_folder():
    folder = os.environ.get("MERGE_EXPORT_DIR")
    if folder is None:
        return None
    os.makedirs(folder, exist_ok=True)
    if os.listdir(folder):
        raise FileExistsError(f"MERGE_EXPORT_DIR={folder} is not empty")
    return folder


# Files of the base that make weights a model.
CARRIED_OVER = [
${carriedOver}]


SHARD_BYTES = 5 * 10**9


def write_model_folder(folder, weights):
    for file in CARRIED_OVER:
        try:
            shutil.copyfile(download(*MODELS["base"], file), os.path.join(folder, file))
        except EntryNotFoundError:
            continue
    write_plain_config(os.path.join(folder, "config.json"))
    shards = split_by_size(weights)
    if len(shards) == 1:
        files = ["model.safetensors"]
    else:
        files = [f"model-{i + 1:05}-of-{len(shards):05}.safetensors" for i in range(len(shards))]
        index = {
            "metadata": {"total_size": sum(tensor.nbytes for tensor in weights.values())},
            "weight_map": {name: file for file, shard in zip(files, shards) for name in shard},
        }
        with open(os.path.join(folder, "model.safetensors.index.json"), "w") as target:
            json.dump(index, target, indent=2)
    for file, shard in zip(files, shards):
        save_file(shard, os.path.join(folder, file), metadata={"format": "pt"})


def split_by_size(weights):
    shards, size = [{}], 0
    for name, tensor in weights.items():
        if shards[-1] and size + tensor.nbytes > SHARD_BYTES:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    return shards
`.trimStart();
