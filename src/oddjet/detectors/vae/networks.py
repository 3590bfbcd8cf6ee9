"""Networks on jet images: a variational autoencoder and a classifier, of the same blocks (arXiv:2110.06948, fig. 2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from oddjet.errors import DetectorError

# A network sees this many images at a time where it is not trained, so that memory does not grow with their number.
IMAGES_AT_A_TIME = 500


@dataclass(frozen=True)
class Shape:
    """Sizes of a network.

    Attributes
    ----------
    depth
        Number of down-samplings.
    pixels
        Pixels a side of the images.
    filters
        Filters of each convolution.
    hidden, latent
        Nodes of the dense layer before and after the latent space, and the latent dimensions.
    decoder_start
        `mirror`: the decoder unfolds as many channels as `filters`; `single`: one.
    scale
        Factor on the pixels that the encoder sees.
    """

    depth: int
    pixels: int = 40
    filters: int = 5
    hidden: int = 100
    latent: int = 64
    decoder_start: Literal["mirror", "single"] = "mirror"
    # As in files from before there was a factor.
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.pixels % 2**self.depth:
            raise DetectorError(
                f"{self.pixels} pixels a side cannot be halved {self.depth} times; change images.jets.pixels or depths"
            )

    @property
    def smallest(self) -> int:
        """Pixels a side after the last block."""
        return int(self.pixels // 2**self.depth)

    @property
    def flat(self) -> int:
        """Numbers after the last block: 2000, 500 and 125 for depths 1, 2 and 3 of 40 pixels."""
        return self.filters * self.smallest**2


class Encoder(nn.Module):
    """Blocks of two 3x3 convolutions, an ELU after each, and 2x2 average pooling.

    Pixels that add up to one are small beside the biases that a network begins with: poolings leave next to nothing of
    the differences between images, and a deep VAE learns the mean image. So they are multiplied by a factor first.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.scale = shape.scale
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(1 if block == 0 else shape.filters, shape.filters, 3, padding=1),
                nn.ELU(),
                nn.Conv2d(shape.filters, shape.filters, 3, padding=1),
                nn.ELU(),
                nn.AvgPool2d(2),
            )
            for block in range(shape.depth)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the activations after each block, flat, of images (n, pixels, pixels)."""
        x, after = images.unsqueeze(1) * self.scale, []
        for block in self.blocks:
            x = block(x)
            after.append(x.flatten(1))
        return after


class Decoder(nn.Module):
    """Two dense layers and blocks of a transposed convolution that doubles the side and two 3x3 convolutions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.channels, self.side = shape.filters if shape.decoder_start == "mirror" else 1, shape.smallest
        self.dense = nn.Sequential(
            nn.Linear(shape.latent, shape.hidden),
            nn.ELU(),
            nn.Linear(shape.hidden, self.channels * self.side**2),
            nn.ELU(),
        )
        layers: list[nn.Module] = []
        for block in range(shape.depth):
            first = self.channels if block == 0 else shape.filters
            last = 1 if block == shape.depth - 1 else shape.filters
            layers += [nn.ConvTranspose2d(first, shape.filters, 2, stride=2), nn.ELU()]
            layers += [nn.Conv2d(shape.filters, shape.filters, 3, padding=1), nn.ELU()]
            layers += [nn.Conv2d(shape.filters, last, 3, padding=1), nn.ELU()]
        self.blocks = nn.Sequential(*layers)

    def begin_above_zero(self) -> None:
        """Give the last layer the largest bias that it may begin with, so that the first images are above zero.

        Transport sees pixels above zero alone. With a random bias a third to a half of all networks begin without any,
        and hardly learn for hundreds of steps.
        """
        last = self.blocks[-2]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        nn.init.constant_(last.bias, 1.0 / math.sqrt(last.in_channels * last.kernel_size[0] * last.kernel_size[1]))

    def forward(self, latent: Tensor) -> Tensor:
        """Return images (n, pixels, pixels) of latent points (n, latent)."""
        unfolded = self.dense(latent).view(-1, self.channels, self.side, self.side)
        images: Tensor = self.blocks(unfolded)
        return images.squeeze(1)


class Vae(nn.Module):
    """Variational autoencoder of images; the latent space is Gaussian with a mean and a variance a dimension."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder, self.decoder = Encoder(shape), Decoder(shape)
        self.dense = nn.Sequential(nn.Linear(shape.flat, shape.hidden), nn.ELU())
        self.mean = nn.Linear(shape.hidden, shape.latent)
        self.log_variance = nn.Linear(shape.hidden, shape.latent)
        # Channels innermost: a step of so few filters takes up to a fifth less (`benchmarks/transport_loss.py`).
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance, (n, latent) each, of images (n, pixels, pixels)."""
        hidden = self.dense(self.encoder(images)[-1])
        return self.mean(hidden), self.log_variance(hidden)

    def forward(self, images: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return reconstruction, mean, log variance; the latent point is mean + sigma * noise, without noise the mean.

        Parameters
        ----------
        images
            Shape (n, pixels, pixels).
        noise
            N(0, 1) numbers, shape (n, latent).
        """
        mean, log_variance = self.encode(images)
        latent = mean if noise is None else mean + torch.exp(0.5 * log_variance) * noise
        return self.decoder(latent), mean, log_variance


class Classifier(nn.Module):
    """The encoder's blocks and one dense unit, whose sigmoid is the probability of signal (appendix B of the paper).

    Parameters
    ----------
    shape
        Depth, pixels, filters and scale.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.encoder = Encoder(shape)
        self.dense = nn.Linear(shape.flat, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (n,), of images (n, pixels, pixels)."""
        logits: Tensor = self.dense(self.encoder(images)[-1])
        return logits.squeeze(1)
