"""The lots that the peer draws for DARE and DELLA: drawn by a seed, kept, and drawn again the same."""
import torch


class Lots:
    """While it is entered, `torch.bernoulli` is seeded and its masks and probabilities are kept."""

    def __init__(self, seed, replayed=None):
        self.seed, self.replayed = seed, replayed
        self.masks, self.probabilities = [], []

    def again(self):
        """The same masks, whatever the probabilities."""
        return Lots(self.seed, list(self.masks))

    @staticmethod
    def draws(method, parameters):
        """Whether the peer draws for an input with these parameters."""
        density = parameters.get("density", 1.0)
        return density < 1 and (density > 0 or not method.startswith("della"))

    def __enter__(self):
        self.original = torch.bernoulli
        torch.manual_seed(self.seed)
        torch.bernoulli = self.drawn

    def __exit__(self, *_):
        torch.bernoulli = self.original

    def drawn(self, probabilities):
        if self.replayed is not None:
            mask = self.replayed[len(self.masks)].to(probabilities.dtype)
        else:
            mask = self.original(probabilities)
        self.masks.append(mask.clone())
        self.probabilities.append(probabilities.clone())
        return mask
