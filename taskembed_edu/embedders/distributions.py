r"""How parameters are distributed: a density over the weights of networks that were trained on tasks of one family.

    distribution = fit_gaussian(learner, trained.parameters)
    distribution.log_likelihood(parameters)     # nats, one number a network
    distribution.sample(100, rng)               # networks that nobody trained

A network has a thousand weights, and there are a few hundred networks: no full covariance can be estimated from them.
But they differ in few directions. There the density is a full Gaussian, or a mixture of some; in every other direction
a Gaussian of one small variance: probabilistic PCA (Tipping and Bishop 1999). It is a density over all weights, so any
two networks can be compared by it, also ones that lie far outside of those directions.

It needs one shared start: only then do equal units stand at equal places (see `networks.symmetries`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_number, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.networks.learners import Learner, Parameters, check_stack, flatten, unflatten

# What may be left of a variance by rounding alone, in double precision, of weights that are single precision.
_ROUNDING = 1e-12


# ---- the few directions in which networks differ --------------------------------------------------------------------


@compared_by_value
@dataclass(frozen=True)
class PrincipalSpace:
    """A point, and a few directions at right angles: `centre` (dim,), `directions` (components, dim), on the CPU.

    `variances` (components,) are those of the networks along the directions, `residual` their mean variance along each
    of the dim - components others.
    """

    learner: Learner
    centre: Tensor
    directions: Tensor
    variances: Tensor
    residual: float
    dtype: torch.dtype

    def coordinates(self, parameters: Parameters) -> Tensor:
        """Networks by their principal coordinates: (n_tasks, *shape) -> (n_tasks, components), double precision."""
        return (weights_of(self.learner, parameters) - self.centre) @ self.directions.T

    def networks(self, coordinates: Tensor) -> Parameters:
        """The networks at these coordinates: (n, components) -> (n, *shape)."""
        return unflatten(self.learner, (self.centre + coordinates @ self.directions).to(self.dtype))


def principal_space(learner: Learner, parameters: Parameters, components: int) -> PrincipalSpace:
    """The directions in which the networks differ most, by scikit-learn's PCA.

    The residual is divided by all dim - components directions, as in Tipping and Bishop; scikit-learn's own
    `noise_variance_` divides by those that n networks can span.
    Errors: ValueError for too few networks, networks that differ in fewer directions, diverged or foreign ones.
    """
    from sklearn.decomposition import PCA

    vectors = weights_of(learner, parameters)
    n, dim = vectors.shape
    _check_enough(n, dim, components)
    centre = vectors.mean(dim=0)
    if bool((vectors == vectors[0]).all()):
        raise _alike(components)
    found = PCA(components, svd_solver="full").fit(vectors.numpy())
    variances = torch.from_numpy(found.explained_variance_) * ((n - 1) / n)  # of maximum likelihood: divided by n
    directions = torch.from_numpy(found.components_)
    residual = _residual(vectors - centre, directions)
    thinnest = min(float(variances[-1]), residual if components < dim else math.inf)
    if not thinnest > _ROUNDING * float(variances[0]):
        raise _alike(components)
    return PrincipalSpace(learner, centre, directions, variances, residual, next(iter(parameters.values())).dtype)


def _check_enough(n: int, dim: int, components: int) -> None:
    check_number("components", components, 1, dim, f"There are {dim} weights.")
    left = components < dim
    if n < components + 1 + left:
        cause = f"n networks differ in n - 1 directions at most{', and one must be left' if left else ''}."
        expected = f"at least {components + 1 + left} for {components} components"
        raise ValueError(problem("parameters", f"{n} networks", expected, cause))


def _alike(components: int) -> ValueError:
    cause = "Are some of them copies? Take fewer components, or other tasks."
    came = "networks that differ in fewer directions"
    return ValueError(problem("parameters", came, f"differences in more than {components} directions", cause))


def weights_of(learner: Learner, parameters: Parameters) -> Tensor:
    """Checked networks as vectors (n_tasks, n_parameters), in the learner's order, in double precision on the CPU."""
    check_stack(learner, parameters)
    vectors = flatten({name: parameters[name].detach() for name in learner.shapes()}).double().cpu()
    lost = (~torch.isfinite(vectors).all(dim=1)).nonzero().flatten().tolist()
    if lost:
        named = ", ".join(map(str, lost[:10])) + (", ..." if len(lost) > 10 else "")
        came_ = f"weights that are not finite in {len(lost)} of {len(vectors)} networks ({named})"
        raise ValueError(problem("parameters", came_, "finite weights", "These tasks have diverged: leave them out."))
    return vectors


def _residual(centred: Tensor, directions: Tensor) -> float:
    """The mean variance in each direction at right angles to these; 0 where there is none."""
    left = centred - centred @ directions.T @ directions
    return float(left.square().sum()) / (len(left) * max(1, left.shape[1] - len(directions)))


# ---- a density ------------------------------------------------------------------------------------------------------


@compared_by_value
@dataclass(frozen=True)
class WeightDistribution:
    r"""A density over the weights of a network: a mixture of Gaussians in the principal space, one variance outside.

    .. math::
        \log p(w) = \log \sum_k \pi_k \, \mathcal N(z; m_k, S_k)
        - \frac{\lVert r \rVert^2}{2 \sigma^2} - \frac{d - q}{2} \log (2 \pi \sigma^2),
        \qquad z = U (w - \mu), \quad r = w - \mu - U^\top z

    U: the q directions of `space`, mu its centre, sigma^2 its residual variance. With one Gaussian, m = 0 and S the
    variances along U, it is the Gaussian with covariance U^T S U + sigma^2 (I - U^T U): probabilistic PCA at its
    maximum of likelihood (Tipping and Bishop 1999, equations 4, 7 and 8, written by W W^T + sigma^2 I).

    Shapes: `shares` (n_clusters,), `means` (n_clusters, q), `covariances` (n_clusters, q, q).
    Worked number: q = 1, S = 4, sigma^2 = 1, 3 dimensions: log p = -(3 log 2 pi + log 4) / 2 = -3.4500 at the mean.
    """

    space: PrincipalSpace
    shares: Tensor
    means: Tensor
    covariances: Tensor

    def log_likelihood(self, parameters: Parameters) -> Tensor:
        """Each network's log density in nats: (n_tasks, *shape) -> (n_tasks,), double precision; any real number.

        It can be positive: a density is no probability. Only differences tell, between networks of one learner.
        Errors: ValueError for diverged networks, and those of other shapes.
        """
        centred = weights_of(self.space.learner, parameters) - self.space.centre
        z = centred @ self.space.directions.T
        roots = torch.linalg.cholesky(self.covariances)
        inside = torch.distributions.MultivariateNormal(self.means, scale_tril=roots).log_prob(z.unsqueeze(1))
        left = centred.shape[1] - z.shape[1]
        if not left:
            return torch.logsumexp(inside + self.shares.log(), dim=1)
        squares = (centred - z @ self.space.directions).square().sum(dim=1)
        outside = squares / self.space.residual + left * math.log(2 * math.pi * self.space.residual)
        return torch.logsumexp(inside + self.shares.log(), dim=1) - outside / 2

    def sample(self, n: int, rng: torch.Generator, *, residual: bool = False) -> Parameters:
        """n new networks, a stack (n, *shape): drawn in the principal space, or (`residual`) in all directions.

        The residual is noise that no task asked for: with it a sample is one of the density, without it it works
        better. Errors: ValueError for n below 1.
        """
        check_number("n", n, 1, None)
        which = torch.multinomial(self.shares, n, replacement=True, generator=rng)
        noise = torch.randn(n, self.means.shape[1], 1, generator=rng, dtype=torch.float64)
        z = self.means[which] + (torch.linalg.cholesky(self.covariances)[which] @ noise).squeeze(-1)
        if not residual:
            return self.space.networks(z)
        directions = self.space.directions
        left = torch.randn(n, directions.shape[1], generator=rng, dtype=torch.float64)
        left = (left - left @ directions.T @ directions) * self.space.residual**0.5
        return unflatten(self.space.learner, (self.space.centre + z @ directions + left).to(self.space.dtype))

    def mean(self) -> Parameters:
        """The mean network, a stack of one (1, *shape). The mean of good networks may be a poor one."""
        return self.space.networks((self.shares @ self.means).unsqueeze(0))


@short_errors
def fit_gaussian(learner: Learner, parameters: Parameters, components: int = 8) -> WeightDistribution:
    """One Gaussian over the weights of trained networks (n_tasks, *shape), all from one shared start.

    Errors: ValueError for fewer than components + 2 networks (n of them differ in n - 1 directions, and one must be
    left for the residual), networks that differ in fewer directions, diverged ones, and those of other shapes.
    """
    space = principal_space(learner, parameters, components)
    one = torch.ones(1, dtype=torch.float64)
    return WeightDistribution(space, one, torch.zeros_like(space.variances)[None], space.variances.diag()[None])


@short_errors
def fit_mixture(
    learner: Learner, parameters: Parameters, n_clusters: int = 3, components: int = 8, *, rng: torch.Generator
) -> WeightDistribution:
    """A mixture of Gaussians in the principal space, by scikit-learn's EM: for tasks that come in kinds.

    No cluster is thinner in any direction than the residual outside: while EM runs, that variance is added to each
    covariance, so that none collapses onto few networks. One cluster is `fit_gaussian`.
    Errors: those of `fit_gaussian`; ValueError for fewer networks than clusters.
    """
    from sklearn.mixture import GaussianMixture

    space = principal_space(learner, parameters, components)
    z = space.coordinates(parameters)
    check_number("n_clusters", n_clusters, 1, len(z), f"There are {len(z)} networks.")
    thinnest = max(space.residual, 1e-6 * float(space.variances[-1]))
    seed = int(torch.randint(2**31 - 1, (), generator=rng))
    mixture = GaussianMixture(n_clusters, reg_covar=thinnest, n_init=5, max_iter=1000, random_state=seed)
    mixture.fit(z.numpy())
    sizes, axes = torch.linalg.eigh(torch.from_numpy(mixture.covariances_))
    sizes = (sizes - thinnest).clamp(min=thinnest)
    covariances = axes @ torch.diag_embed(sizes) @ axes.mT
    return WeightDistribution(space, torch.from_numpy(mixture.weights_), torch.from_numpy(mixture.means_), covariances)
