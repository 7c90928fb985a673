"""ResNets for CIFAR: depth 6n+2, 16-32-64 channels (He et al. 2015, section 4.2)."""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from advisor.errors import NetworkError


class BasicBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut, projected where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(self.norm2(self.conv2(out)) + self.shortcut(x))


class CifarResNet(nn.Module):
    """ResNet of ``depth`` = 6n+2 layers for 32×32 images.

    ``width`` multiplies the channels. Raises NetworkError for another depth.
    """

    def __init__(self, depth: int, *, width: float = 1.0, classes: int = 10) -> None:
        super().__init__()
        if depth < 8 or (depth - 2) % 6:
            raise NetworkError(f"a CIFAR ResNet has depth 6n+2 (8, 14, 20, …), not {depth}")
        channels = [max(1, round(c * width)) for c in (16, 32, 64)]
        self.stem = nn.Conv2d(3, channels[0], 3, 1, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(channels[0])
        blocks: list[nn.Module] = []
        inputs = channels[0]
        for stage, outputs in enumerate(channels):
            for block in range((depth - 2) // 6):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(BasicBlock(inputs, outputs, stride))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(functional.relu(self.stem_norm(self.stem(x))))
        return cast(Tensor, self.head(x.mean(dim=(2, 3))))
