"""The architectures of libs/models in PyTorch: plain modules, named as the paper's code or torchvision names them. Other parity scripts import them."""

import torch
from torch import nn
from torch.nn import functional as F


class LeNet5(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


class Mlp(nn.Module):
    def __init__(self, inputs, hidden, classes):
        super().__init__()
        widths = [inputs, *hidden, classes]
        self.depth = len(widths) - 1
        for layer in range(self.depth):
            self.add_module(f"fc{layer + 1}", nn.Linear(widths[layer], widths[layer + 1]))

    def forward(self, x):
        x = x.flatten(1)
        for layer in range(1, self.depth):
            x = F.relu(getattr(self, f"fc{layer}")(x))
        return getattr(self, f"fc{self.depth}")(x)


def normalisation(kind, channels):
    return nn.GroupNorm(1, channels) if kind == "layer" else nn.BatchNorm2d(channels)


class PreActivationBlock(nn.Module):
    """Convolutions of the sizes in `kernels`, each after normalisation and ReLU; the stride is the first 3×3 one's."""

    def __init__(self, inputs, widths, kernels, stride, norm):
        super().__init__()
        self.count = len(kernels)
        strided = kernels.index(3)
        channels = [inputs, *widths]
        for i, kernel in enumerate(kernels):
            self.add_module(f"bn{i + 1}", normalisation(norm, channels[i]))
            convolution = nn.Conv2d(
                channels[i], channels[i + 1], kernel, stride if i == strided else 1, kernel // 2, bias=False
            )
            self.add_module(f"conv{i + 1}", convolution)
        self.downsample = None
        if stride != 1 or inputs != channels[-1]:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, channels[-1], 1, stride, bias=False))

    def forward(self, x):
        out = x
        for i in range(1, self.count + 1):
            out = getattr(self, f"conv{i}")(F.relu(getattr(self, f"bn{i}")(out)))
        return out + (x if self.downsample is None else self.downsample(x))


class PreResNet(nn.Module):
    def __init__(self, depth, channels, classes, norm="batch"):
        super().__init__()
        bottleneck = depth >= 44
        blocks = (depth - 2) // (9 if bottleneck else 6)
        self.conv1 = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        inputs = 16
        for stage, width in enumerate((16, 32, 64)):
            layers = []
            for block in range(blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                widths, kernels = ((width, width, 4 * width), (1, 3, 1)) if bottleneck else ((width, width), (3, 3))
                layers.append(PreActivationBlock(inputs, widths, kernels, stride, norm))
                inputs = widths[-1]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layers))
        self.bn = normalisation(norm, inputs)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.fc(F.relu(self.bn(x)).mean((2, 3)))


class Vgg16(nn.Module):
    """torchvision's features; the classifier of the paper's code at torchvision's places, without its dropout."""

    def __init__(self, channels, classes):
        super().__init__()
        layers = []
        for width in (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"):
            if width == "M":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(512, 512), nn.ReLU(), nn.Identity(), nn.Linear(512, 512), nn.ReLU(), nn.Identity(), nn.Linear(512, classes)
        )

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class ResNetBlock(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        outputs = 4 * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(out)))))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet50(nn.Module):
    """torchvision's resnet50: same names, same arithmetic."""

    def __init__(self, channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for stage, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
            layers = []
            for block in range(blocks):
                layers.append(ResNetBlock(inputs, width, 2 if stage > 0 and block == 0 else 1))
                inputs = 4 * width
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class BiLstm(nn.Module):
    def __init__(self, vocabulary, classes):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, 128)
        self.lstm = nn.LSTM(128, 70, 2, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(140, classes)

    def forward(self, tokens):
        tokens = tokens.long()
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embed(tokens), (tokens != 0).sum(1), batch_first=True, enforce_sorted=False
        )
        _, (hidden, _) = self.lstm(packed)
        return self.linear(torch.cat([hidden[-2], hidden[-1]], 1))


# Where the formula gives smooth networks (see formula.py).
SMOOTH = {"preresnet56": 8, "preresnet110": 8, "resnet50": 1 << 20}
# Whose gradients are compared in eval mode: in train mode float32 decides too many ReLUs, in PyTorch itself, too.
FROZEN = {"resnet50"}


# name, architecture as a spec has it, input shape as libs/data has it, classes, rows, module
def cases():
    image = lambda size, channels: {"height": size, "width": size, "channels": channels}
    yield "lenet5", {"name": "lenet5"}, image(28, 1), 10, 8, lambda: LeNet5(1, 10)
    yield "mlp", {"name": "mlp", "hiddenUnits": [24, 16]}, image(6, 3), 5, 8, lambda: Mlp(108, [24, 16], 5)
    yield "preresnet20", {"name": "preresnet20"}, image(32, 3), 10, 8, lambda: PreResNet(20, 3, 10)
    layer = {"name": "preresnet20", "norm": "layer"}
    yield "preresnet20-layer", layer, image(32, 3), 10, 8, lambda: PreResNet(20, 3, 10, "layer")
    yield "preresnet56", {"name": "preresnet56"}, image(16, 3), 10, 4, lambda: PreResNet(56, 3, 10)
    yield "preresnet110", {"name": "preresnet110"}, image(16, 3), 10, 4, lambda: PreResNet(110, 3, 10)
    yield "vgg16", {"name": "vgg16"}, image(32, 3), 10, 4, lambda: Vgg16(3, 10)
    yield "resnet50", {"name": "resnet50"}, image(64, 3), 10, 4, lambda: ResNet50(3, 10)
    yield "bilstm", {"name": "bilstm"}, {"length": 12, "vocabulary": 40}, 2, 8, lambda: BiLstm(40, 2)
