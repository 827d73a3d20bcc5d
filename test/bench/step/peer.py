"""One distillation step of the reference modules in PyTorch, as often as it is told to. Called by main.ts; see measured-process.ts."""

import json
import pathlib
import sys
import time

request = json.loads(sys.argv[1])
threads = request["threads"]


def say(answer):
    print(json.dumps(answer), flush=True)


def resident(field):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


try:
    import torch
    import torch.nn.functional as functional
except ImportError as error:
    say({"unavailable": f"Python without PyTorch ({error})"})
    sys.exit()

torch.set_num_threads(threads)
torch.set_num_interop_threads(1)
say({"idleBytes": resident("VmRSS")})

sys.path.insert(0, request["modules"])
import reference_models as reference  # noqa: E402

MODULES = {
    "lenet5": lambda channels, classes: reference.LeNet5(channels, classes),
    "preresnet20": lambda channels, classes: reference.PreResNet(20, channels, classes),
    "preresnet56": lambda channels, classes: reference.PreResNet(56, channels, classes),
    "vgg16": lambda channels, classes: reference.Vgg16(channels, classes),
}

torch.manual_seed(0)
batch, classes = request["batch"], request["classes"]
height, width, channels = request["input"]
model = MODULES[request["model"]](channels, classes)
model.train()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
inputs = torch.rand(batch, channels, height, width) * 2 - 1
teacher = torch.randn(batch, classes) * 3
temperature = 4.0
forward = torch.compile(model) if request["compile"] else model


def step():
    optimizer.zero_grad(set_to_none=True)
    logits = forward(inputs)
    soft = functional.softmax(teacher / temperature, 1)
    loss = -(soft * functional.log_softmax(logits / temperature, 1)).sum(1).mean() * temperature**2
    loss.backward()
    optimizer.step()
    return loss.item()


for line in sys.stdin:
    order, *rest = line.split()
    if order == "peak":
        say({"peakBytes": resident("VmHWM")})
        continue
    try:
        start = time.perf_counter()
        for _ in range(int(rest[0])):
            step()
        say({"seconds": time.perf_counter() - start})
    except Exception as error:  # what keeps torch.compile from working is for the table to tell
        say({"unavailable": f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"})
