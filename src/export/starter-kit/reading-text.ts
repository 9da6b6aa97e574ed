/** What the class of a starter kit module does by how its model reads rows, as Python. */
import type { Model } from "../../model/architecture.ts";

/** Parts of the class. */
export interface ReadingText {
  /** As the starter kit calls it. */
  readonly architecture: string;
  /** Of transformers. */
  readonly autoModel: string;
  /** How the starter kit's functions expect its tokenizers, whole lines. */
  readonly tokenizers: string;
  /** Log-likelihoods and texts. */
  readonly members: string;
}

/** The parts of a class for a model. */
export function readingText({ encoding }: Pick<Model, "encoding">): ReadingText {
  return encoding ? encoderDecoder(encoding.startToken) : decoder;
}

const decoder: ReadingText = {
  architecture: "decoder",
  autoModel: "AutoModelForCausalLM",
  tokenizers: `        self.input_tokenizer.padding_side = "left"
        self.target_tokenizer.padding_side = "right"
        self.target_tokenizer.add_bos_token = False
        self.target_tokenizer.add_eos_token = True
`,
  members: `    def log_likelihood(self, context, continuation):
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
        return answer`,
};

function encoderDecoder(startToken: number): ReadingText {
  return {
    architecture: "encoder_decoder",
    autoModel: "AutoModelForSeq2SeqLM",
    tokenizers: "",
    members: `    # What the decoder reads before its first token.
    START_TOKEN = ${startToken}

    def log_likelihood(self, context, continuation):
        """Natural logarithm of the continuation's probability behind what the encoder reads, as in lm_eval."""
        stripped = context.rstrip()
        continuation = context[len(stripped) :] + continuation
        tokens = self.tokenizer.encode(stripped)[-self.max_seq_len :]
        targets = self.tokenizer.encode(continuation, add_special_tokens=False)
        if not tokens or not 0 < len(targets) <= self.max_seq_len:
            raise ValueError(f"nothing to score {continuation!r} by: it needs tokens of its own and a context")
        read = self.batch_of([self.START_TOKEN, *targets[:-1]])
        logits = self.base_model(input_ids=self.batch_of(tokens), decoder_input_ids=read, use_cache=False).logits[0]
        targets = self.batch_of(targets)[0].unsqueeze(-1)
        return logits.float().log_softmax(dim=-1).gather(-1, targets).sum().item()

    @torch.no_grad()
    def generate(self, batch):
        """Token ids of each row's greedy answer, behind the token that begins it, and the texts of the answers."""
        if kit_scoring():
            return super().generate(batch)
        prompts = [self.tokenizer.encode(text)[-self.max_seq_len :] for text in batch["input"]]
        answers = [self.answer_greedily(prompt) for prompt in prompts]
        texts = [self.tokenizer.decode(answer, skip_special_tokens=True) for answer in answers]
        return [[self.START_TOKEN, *answer] for answer in answers], texts

    def answer_greedily(self, prompt):
        """Likeliest token after likeliest token, up to max_gen_len of them or an end of sequence."""
        ends = self.end_tokens()
        encoded = self.base_model.get_encoder()(input_ids=self.batch_of(prompt))
        answer = []
        while len(answer) < self.max_gen_len and not ends.intersection(answer):
            read = self.batch_of([self.START_TOKEN, *answer])
            state = self.base_model(encoder_outputs=encoded, decoder_input_ids=read, use_cache=False)
            answer.append(state.logits[0, -1].argmax().item())
        return answer`,
  };
}
