/** The class of a starter kit module as Python: how it merges by the functions below it, scores choices and generates. */

/** The body of the class. */
export function classMembers(maxLength: number): string {
  return `    def __init__(self, name):
        super().__init__(name)
        self.list_models = [MODELS[model] for model in MERGED]
        self.base_model_name, self.base_model_revision_id = MODELS["base"]
        self.is_peft = False
        self.architecture = "decoder"
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
        self.base_model = AutoModelForCausalLM.from_pretrained(
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
        self.input_tokenizer.padding_side = "left"
        self.target_tokenizer.padding_side = "right"
        self.target_tokenizer.add_bos_token = False
        self.target_tokenizer.add_eos_token = True

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

    def log_likelihood(self, context, continuation):
        """Natural logarithm of the continuation's probability: all its tokens, the first one included, as in lm_eval."""
        stripped = context.rstrip()
        continuation = context[len(stripped) :] + continuation
        tokens = self.tokenizer.encode(stripped + continuation)
        scored = len(tokens) - len(self.tokenizer.encode(stripped))
        tokens = tokens[-(self.max_seq_len + 1) :]
        if not 0 < scored < len(tokens):
            raise ValueError(f"nothing to score {continuation!r} by: it needs tokens of its own and a context")
        logits = self.base_model(input_ids=self.batch_of(tokens[:-1]), use_cache=False).logits[0, -scored:]
        targets = self.batch_of(tokens[-scored:])[0].unsqueeze(-1)
        return logits.float().log_softmax(dim=-1).gather(-1, targets).sum().item()

    @torch.no_grad()
    def generate(self, batch):
        """Token ids of each row's input with its greedy continuation, and the texts of the continuations."""
        if kit_scoring():
            return super().generate(batch)
        room = max(1, self.max_seq_len - self.max_gen_len)
        prompts = [self.tokenizer.encode(text)[-room:] for text in batch["input"]]
        answers = [self.continue_greedily(prompt) for prompt in prompts]
        texts = [self.tokenizer.decode(answer, skip_special_tokens=True) for answer in answers]
        return [prompt + answer for prompt, answer in zip(prompts, answers)], texts

    def continue_greedily(self, prompt):
        """Likeliest token after likeliest token, up to max_gen_len of them or an end of sequence."""
        ends = self.end_tokens()
        answer, tokens, cache = [], prompt, None
        while len(answer) < self.max_gen_len and not ends.intersection(answer):
            state = self.base_model(input_ids=self.batch_of(tokens), past_key_values=cache, use_cache=True)
            tokens, cache = [state.logits[0, -1].argmax().item()], state.past_key_values
            answer += tokens
        return answer

    def end_tokens(self):
        configured = getattr(self.base_model.generation_config, "eos_token_id", None)
        return {self.tokenizer.eos_token_id, *(configured if isinstance(configured, list) else [configured])}

    def batch_of(self, tokens):
        return torch.tensor([tokens], dtype=torch.long, device=self.base_model.device)`;
}
