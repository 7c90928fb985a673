"""ShuffleNet (Zhang et al. 2017, arXiv 1707.01083), which neither timm nor torchvision has."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

STAGE_CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
"""Output channels of the first stage by number of groups (Table 1); they double per stage."""
STAGE_BLOCKS = (4, 8, 4)


class ShuffleUnit(nn.Module):
    """Grouped 1×1, channel shuffle, depthwise 3×3, grouped 1×1, beside a shortcut (Figure 2)."""

    def __init__(self, inputs: int, outputs: int, groups: int, *, stride: int, first: bool) -> None:
        super().__init__()
        self.stride = stride
        self.groups = groups
        branch = outputs - inputs if stride == 2 else outputs
        middle = outputs // 4
        self.reduce = nn.Conv2d(inputs, middle, 1, groups=1 if first else groups, bias=False)
        self.reduce_norm = nn.BatchNorm2d(middle)
        self.depthwise = nn.Conv2d(middle, middle, 3, stride, 1, groups=middle, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(middle)
        self.expand = nn.Conv2d(middle, branch, 1, groups=groups, bias=False)
        self.expand_norm = nn.BatchNorm2d(branch)

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.reduce_norm(self.reduce(x)))
        batch, channels, height, width = out.shape
        out = out.view(batch, self.groups, channels // self.groups, height, width)
        out = out.transpose(1, 2).reshape(batch, channels, height, width)
        out = self.expand_norm(self.expand(self.depthwise_norm(self.depthwise(out))))
        if self.stride == 2:
            return functional.relu(torch.cat([functional.avg_pool2d(x, 3, 2, 1), out], dim=1))
        return functional.relu(x + out)


class ShuffleNetV1(nn.Module):
    """ShuffleNet 1× with the given number of groups and a 1,000-class head."""

    def __init__(self, groups: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 3, 2, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(24)
        units: list[nn.Module] = []
        inputs = 24
        for stage, blocks in enumerate(STAGE_BLOCKS):
            outputs = STAGE_CHANNELS[groups] * 2**stage
            for block in range(blocks):
                stride = 2 if block == 0 else 1
                first = stage == 0 and block == 0
                units.append(ShuffleUnit(inputs, outputs, groups, stride=stride, first=first))
                inputs = outputs
        self.units = nn.Sequential(*units)
        self.head = nn.Linear(inputs, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.stem_norm(self.stem(x)))
        x = self.units(functional.max_pool2d(x, 3, 2, 1))
        return cast(Tensor, self.head(x.mean(dim=(2, 3))))
