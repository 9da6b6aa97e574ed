"""
Generates texts greedily with transformers on some threads, for bench/texts.ts: the same prompts, in one batch.

    python bench/torch-texts.py MODEL PROMPTS.json NEW_TOKENS f32|bf16 THREADS

Prints a line of JSON when it is ready; for each line of input it adds tokens to all prompts and prints the seconds that it
took, on the wall and of CPU, and the added ids.
"""

import json
import sys
import time

import torch
import transformers

folder, file, new, precision, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[precision]
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa").eval()
model.generation_config.eos_token_id = None
prompts = json.load(open(file))
longest = max(map(len, prompts))
padded = torch.tensor([[0] * (longest - len(ids)) + ids for ids in prompts])
mask = torch.tensor([[0] * (longest - len(ids)) + [1] * len(ids) for ids in prompts])
print(json.dumps({"name": f"transformers {transformers.__version__}, PyTorch {torch.__version__}"}), flush=True)
for _ in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    out = model.generate(padded, attention_mask=mask, do_sample=False, max_new_tokens=int(new), pad_token_id=0)
    taken = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps({**taken, "added": out[:, longest:].tolist()}), flush=True)
