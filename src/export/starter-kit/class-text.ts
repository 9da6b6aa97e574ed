/** The class of a starter kit module as Python: how it merges by the functions below it, scores choices and generates. */

import type { ReadingText } from "./reading-text.ts";

/** The body of the class. */
export function classMembers(maxLength: number, reading: ReadingText): string {
  return `    def __init__(self, name):
        super().__init__(name)
        self.list_models = [MODELS[model] for model in MERGED]
        self.base_model_name, self.base_model_revision_id = MODELS["base"]
        self.is_peft = False
        self.architecture = "${reading.architecture}"
        self.max_seq_len = ${maxLength}
        self.max_gen_len = 64
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.loaded_models = {}
        self.loaded_configs = {}
        self.merged_model = {}

    @torch.no_grad()
    def merge(self):
        folder = export_folder()
        self._load_base_model()
        self._load_tokenizer()
        parameters = dict(self.base_model.named_parameters())
        if parameters.keys() != {name for name, *_ in tensors()}:
            raise RuntimeError(f"{self.base_model_name} has other tensors under transformers {transformers.__version__}")
        models = {model: Weights(*reference) for model, reference in MODELS.items()}
        for name, group, layer, dtype in tensors():
            merged = merge_tensor(name, group, layer, models).to(dtype)
            parameter = parameters[name]
            if merged.shape != parameter.shape:
                raise RuntimeError(f"{name}: expected shape {parameter.shape}, found {merged.shape}")
            self.merged_model[name] = merged
            # Takes the place of the base's tensor, so that at no time two whole models are in memory.
            parameter.data = merged.to(parameter.device, parameter.dtype)
        if folder is not None:
            write_model_folder(folder, self.merged_model)
        self.base_model.eval()
        return self.base_model

    def _load_base_model(self):
        """The base in its own dtype, where the starter kit would load it in float32."""
        major_version = int(transformers.__version__.split(".")[0])
        self.base_model = ${reading.autoModel}.from_pretrained(
            self.base_model_name,
            revision=self.base_model_revision_id,
            token=hub_token(),
            config=plain_config(self.base_model_name, self.base_model_revision_id),
            use_safetensors=True,
            **{"dtype" if major_version >= 5 else "torch_dtype": MODEL_DTYPE},
        ).to(self.device)
        # Some repositories hold a copy of a tied head, which newer versions of transformers would untie.
        head = self.base_model.get_output_embeddings()
        names = {name for name, *_ in tensors()}
        if not any(own is head.weight and name in names for name, own in self.base_model.named_parameters()):
            head.weight = self.base_model.get_input_embeddings().weight

    def _load_tokenizer(self):
        """tokenizer as published, for the methods below; the other two as the starter kit's functions expect them."""
        where = dict(revision=self.base_model_revision_id, token=hub_token())
        self.tokenizer = AutoTokenizer.from_pretrained(self.base_model_name, **where)
        self.input_tokenizer = AutoTokenizer.from_pretrained(
            self.base_model_name, model_max_length=self.max_seq_len, legacy=False, **where
        )
        if self.input_tokenizer.pad_token_id is None:
            self.input_tokenizer.pad_token_id = self.input_tokenizer.eos_token_id
        self.target_tokenizer = copy.deepcopy(self.input_tokenizer)
${reading.tokenizers}
    @torch.no_grad()
    def predict_multiple_choice(self, batch):
        """Index of the likeliest choice, and the log-likelihoods of all choices, for each row of the batch."""
        if kit_scoring():
            return super().predict_multiple_choice(batch)
        rows = [
            [self.log_likelihood(text, " " + choice) for choice in listed(choices)]
            for text, choices in zip(batch["input"], batch["answer_choices"])
        ]
        longest = max(len(row) for row in rows)
        scores = torch.tensor([row + [float("-inf")] * (longest - len(row)) for row in rows])
        return scores.argmax(dim=1), scores

${reading.members}

    def end_tokens(self):
        configured = getattr(self.base_model.generation_config, "eos_token_id", None)
        return {self.tokenizer.eos_token_id, *(configured if isinstance(configured, list) else [configured])}

    def batch_of(self, tokens):
        return torch.tensor([tokens], dtype=torch.long, device=self.base_model.device)`;
}
