# %% [markdown]
# # When embeddings fail: a loss does not say whether anything was learned
#
# A training run shows one number above all: the loss. In this lesson it misleads you four times. It falls while the map
# is lost. It stands still while the map gets good. It is the same for two runs, and one of them has learned nothing.
# And it differs forty times between runs that are equally good. Whoever has seen embeddings fail can tell a good one.
#
# ## What you will be able to do
#
# - recognise a collapse (坍缩), and confirm it by two numbers that are not the loss
# - say what hard and semi-hard mining (难例挖掘) choose, and what may go wrong
# - tell retrieval (检索) from geometry (几何), and find a run that wins one and loses the other
# - say what may be read from a UMAP map, and what may not
#
# **Time:** 75 minutes; the core path alone 45.
#
# ## What you need first
#
# Lesson [04](04_metric_based_embedding.ipynb), and from lesson [02](02_contrastive_and_triplet_loss.ipynb) the triplet
# loss (三元组损失).

# %% [markdown]
# ## A loss that gets better while the map gets lost
#
# The lab below is that of lesson 04: 200 sine waves, contrastive loss, margin 1. The cell after it begins anew with
# margin 0. Then no pair of different tasks is inside the margin, and nothing pushes.

# %%
import math

import matplotlib.pyplot as plt
import torch

from taskembed_edu import MetricLab, Session, history_figure
from taskembed_edu.course import check, expected, outcome, over_seeds, predict, tally

predict(
    "05.margin_zero",
    "At margin 0, what do the loss and recall@1 do?",
    ["the loss stays high", "the loss falls, recall@1 rises", "the loss falls, recall@1 does not rise"],
)

# %% tags=["step-0"]
lab = MetricLab("sinusoids", projection="pca", seed=0)
lab


# %%
def collapsed(seed, run=None):
    run = run or Session("metric", projection="pca", seed=seed)
    run.set(margin=0.0)
    first, last = run.history[0].diagnostics, run.step(200).diagnostics
    found = {"loss after": run.frame.loss, "mean distance before": first["mean_distance"]}
    found |= {f"{name} after": last[name] for name in ("mean_distance", "recall@1", "spearman")}
    return {name.replace("mean_d", "mean d").replace("sp", "Sp"): value for name, value in found.items()}


lab.session.reset()  # whatever was played before
zero = over_seeds(
    "05.collapsed",
    collapsed,
    collapsed(0, lab.session),
    ("loss after", 0, 0.02),
    ("recall@1 after", 0, 0.1),
    ("mean distance before", 0.5, 0.9),
    ("mean distance after", 0, 0.02),
    ("Spearman after", 0.25, 0.65),
)
print("The lab's alarm:", lab.session.frame.alarm.partition(". ")[2])
loss, recall = (max(run[name] for run in zero.runs) for name in ("loss after", "recall@1 after"))
found = {"the loss stays high": loss > 0.1, "the loss falls, recall@1 rises": loss < 0.1 < recall}
found["the loss falls, recall@1 does not rise"] = loss < 0.1 and recall < 0.1
display(zero, outcome("05.margin_zero", found))

# %% [markdown]
# **Explain.** This is a **collapse** (坍缩): all tasks go to one point. For this loss one point is perfect, so the loss
# never looked better. Spearman is slow to see it. It asks for the *order* of the distances, and a map a hundred times
# smaller can still have a part of its order. The mean distance sees it at once.
#
# Rule: beside every loss, watch one number that falls when everything falls.
#
# ## Mining: which triplets teach?
#
# In a triplet loss (三元组损失) most triplets are soon in order, and teach nothing. **Mining** (难例挖掘) takes those
# that do teach. For each anchor (锚点):
#
# - *hard*: its farthest positive and its nearest negative (Hermans 2017);
# - *semi-hard*: its positive, and the nearest negative that is farther than the positive, yet inside the margin
#   (Schroff 2015).
#
# The cell chooses the hard triplets by hand, for 128 sets of 64 tasks. The vectors are random arrows of length 1: they
# know nothing of the tasks. Then it asks two embeddings for their mean triplet loss, at margin 1: these arrows, and a
# collapsed map, where all vectors are 0.

# %%
from taskembed_edu import batch_triplet_loss, hard_triplets, pairwise_distances

task = torch.arange(64).repeat(2)
arrows = torch.nn.functional.normalize(torch.randn(128, 64, generator=torch.Generator().manual_seed(0)), dim=1)
distances = pairwise_distances(arrows)
similar, itself = task[:, None] == task[None, :], torch.eye(128, dtype=torch.bool)
farthest_positive = distances.masked_fill(~similar | itself, -1).argmax(dim=1)
nearest_negative = distances.masked_fill(similar, math.inf).argmin(dim=1)
_anchors, positives, negatives = hard_triplets(distances, task)
assert torch.equal(farthest_positive, positives)
assert torch.equal(nearest_negative, negatives)
print(f"all: {128 * 126} triplets, hard: {len(positives)}, one for each anchor")
for name, vectors in {"random arrows": arrows, "all in one point": torch.zeros(128, 64)}.items():
    loss = batch_triplet_loss(vectors, task, margin=1.0, reduction="mean")
    print(
        f"{name:16} mean distance {pairwise_distances(vectors)[~similar].mean():.2f}, loss of all triplets {loss:.2f}"
    )

# %% [markdown]
# **Explain.** In one point $d(a, p) = d(a, n) = 0$, and $\max(0,\, 0 - 0 + m) = m$. But the arrows are spread wide, and
# their loss is the margin as well. Where an embedding ignores the labels, a positive is on average as far away as a
# negative. Then the mean loss is at least the margin (by Jensen's inequality). So a mean loss *at* the margin does not
# say that there was a collapse.
#
# ## Two losses that stand still at the margin
#
# Triplet loss, margin 1, 64 tasks in each step, hard mining. Two runs from the same weights differ in one thing: the
# learning rate (学习率), 0.001 as usual or 0.03. At step 100 both losses are near 1, the margin. (Two more runs with
# other minings are trained beside them, for later.)


# %%
def triplet_runs(seed):
    ways = {"hard, rate 0.03": ("hard", 0.03), "hard": ("hard", 0.001), "semi-hard": ("semi-hard", 0.001)}
    ways["all"] = ("all", 0.001)
    runs = {}
    for name, (mining, rate) in ways.items():
        given = {"loss": "triplet", "mining": mining, "learning_rate": rate, "seed": seed}
        runs[name] = Session("metric", projection="pca", frame_every=10, **given)
        runs[name].step(300)
    return runs


def triplet_scores(runs):
    scores = {}
    for name, run in runs.items():
        for step in (20, 100, 300):
            frame = run.history.at_step(step)
            scores[f"{name}: loss at step {step}"] = frame.loss
            scores[f"{name}: recall@1 at step {step}"] = frame.diagnostics["recall@1"]
            scores[f"{name}: mean distance at step {step}"] = frame.diagnostics["mean_distance"]
            scores[f"{name}: active at step {step}"] = frame.diagnostics["active_pairs"]
    return scores


def mining(seed):
    return triplet_scores(triplet_runs(seed))


predict("05.flat", "Which of the two has learned something by step 100?", ["both", "one of them", "neither"])

# %%
runs = triplet_runs(0)
mined = over_seeds(
    "05.mining",
    mining,
    triplet_scores(runs),
    ("hard: loss at step 20", 1.05, 1.2),
    ("hard: loss at step 100", 0.93, 1.03),
    ("hard: recall@1 at step 20", 0.08, 0.22),
    ("hard: recall@1 at step 100", 0.35, 0.47),
    ("hard: active at step 20", 0.8, 1),
    ("hard: active at step 100", 0.2, 0.6),
    ("hard, rate 0.03: loss at step 100", 0.99, 1.05),
    ("hard, rate 0.03: recall@1 at step 100", 0, 0.12),
    ("hard, rate 0.03: mean distance at step 100", 0, 0.2),
    ("hard: loss at step 300", 0.42, 0.63),
    ("semi-hard: loss at step 300", 0.48, 0.6),
    ("all: loss at step 300", 0.005, 0.02),
    ("hard: recall@1 at step 300", 0.58, 0.74),
    ("semi-hard: recall@1 at step 300", 0.52, 0.74),
    ("all: recall@1 at step 300", 0.5, 0.7),
)
figure = history_figure(runs, ["loss", "mean_distance", "recall@1"])
figure.axes[0].axhline(1, color="#808080", linewidth=1)  # the margin
figure.axes[1].set_yscale("symlog", linthresh=0.1)
learned = [[run[f"{way}: recall@1 at step 100"] > 0.2 for run in mined.runs] for way in ("hard", "hard, rate 0.03")]
found = {"both": all(map(all, learned)), "neither": not any(map(any, learned))}
display(figure, mined, outcome("05.flat", {**found, "one of them": all(learned[0]) and not any(learned[1])}))

# %% [markdown]
# **Explain.** The grey line is the margin. From step 20 to step 100 the loss of *hard* falls by about a tenth. **In the
# same time it finds more than twice as many tasks again**, and the share of active triplets falls from about nine in
# ten to less than a half. The loss looks at the worst triplet of each anchor only. The others get better, and this loss
# does not hear of it. Nor had the flat loss "converged": by step 300 it is at about a half.
#
# With the rate 0.03 the map has collapsed, and the loss is at the margin, too. So a loss at the margin makes one
# **suspect** a collapse. What **confirms** it are two numbers: a mean distance that goes to 0, and a recall@1 at
# chance (0.005).
#
# The other two runs change one thing again, the mining, at the usual rate. All three minings learn, and by step 300
# they find about as many tasks. But their losses differ about forty times, since each is a mean over other triplets:
# the losses of two minings cannot be compared. Semi-hard mining works at the usual rate. Schroff brought it in
# *against* collapse, on vectors of length 1 and with squared distances.
#
# ## Retrieval against geometry
#
# recall@1 asks for **retrieval** (检索): is a task found again? Spearman asks for **geometry** (几何): are the
# distances in the true order? More room now: 64 dimensions instead of 8. All runs have margin 1 and 300 steps. recall@1
# rises in each of them.


# %%
def geometry(seed):
    found = {}
    for metric, loss in (("cosine", "contrastive"), ("Euclidean", "contrastive"), ("Euclidean", "triplet")):
        given = {"metric": metric.lower(), "loss": loss, "dim": 64, "seed": seed}
        run = Session("metric", projection="pca", frame_every=300, **given)
        run.step(300)
        for when, frame in (("before", run.history[0]), ("after", run.frame)):
            found[f"{metric}, {loss}: recall@1 {when}"] = frame.diagnostics["recall@1"]
            found[f"{metric}, {loss}: Spearman {when}"] = frame.diagnostics["spearman"]
            distances = pairwise_distances(torch.tensor(frame.embedding), metric=run.settings.metric)
            of_mean = distances[~torch.eye(len(distances), dtype=torch.bool)] / frame.diagnostics["mean_distance"]
            found[f"{metric}, {loss}: near the mean {when}"] = float(((of_mean - 1).abs() < 0.2).float().mean())
    return found


CHOICES = ["cosine, contrastive", "Euclidean, contrastive", "Euclidean, triplet"]
predict("05.geometry", "In which run does Spearman fall?", [*CHOICES, "neither"])

# %%
scored = over_seeds(
    "05.geometry",
    geometry,
    geometry(0),
    ("cosine, contrastive: recall@1 after", 0.42, 0.66),
    ("Euclidean, contrastive: recall@1 after", 0.48, 0.75),
    ("Euclidean, triplet: recall@1 after", 0.5, 0.75),
    ("cosine, contrastive: Spearman before", 0.6, 0.78),
    ("cosine, contrastive: Spearman after", 0.2, 0.36),
    ("Euclidean, contrastive: Spearman before", 0.6, 0.78),
    ("Euclidean, contrastive: Spearman after", 0.68, 0.83),
    ("Euclidean, triplet: Spearman after", 0.79, 0.93),
    ("cosine, contrastive: near the mean before", 0.3, 0.45),
    ("cosine, contrastive: near the mean after", 0.55, 0.68),
    ("Euclidean, triplet: near the mean after", 0.26, 0.42),
)
figure, ax = plt.subplots(figsize=(10, 3.5), layout="constrained")
for name, style, colour in zip(CHOICES, ("o-", "s--", "^:"), ("#d55e00", "#0072b2", "#009e73"), strict=True):
    for k, run in enumerate(scored.runs):
        x, y = ([run[f"{name}: {score} {when}"] for when in ("before", "after")] for score in ("recall@1", "Spearman"))
        ax.plot(x, y, style, color=colour, label=None if k else name, markevery=[1], markersize=9)
ax.set_xlabel("recall@1, from step 0 to step 300", fontsize=13)
ax.set_ylabel("Spearman", fontsize=13)
ax.legend(fontsize=13)
plt.show()
fell = {
    n: all(run[f"{n}: Spearman after"] < run[f"{n}: Spearman before"] - 0.2 for run in scored.runs) for n in CHOICES
}
display(scored, outcome("05.geometry", fell))

# %% [markdown]
# **Explain.** Each line of the figure is one seed. The contrastive loss asks for **identity**: this task, and none of
# the others. All others should be at least a margin away, the similar and the strange alike. Under the cosine, margin 1
# means at right angles, and 64 dimensions have room for 64 directions at right angles. The last rows say how far the
# network comes: the share of pairs whose distance is within a fifth of the mean rises to three in five. Where many
# distances are nearly the same, their order says little.
#
# Euclidean space has no ceiling: who is far may stay far. The triplet loss asks for even less. It compares a task with
# itself and with others, never two others with each other. So it does not ask for the true order either; once its
# triplets are in order, it asks for nothing more. Here it kept more geometry than the contrastive loss, with each seed.
#
# So a rising recall@1 does not promise geometry. Do not learn the opposite as a law either: in lesson 04, with 8
# dimensions and the Euclidean distance, both rise. Measure both, always.

# %% [markdown]
# ## What UMAP says, and what it does not
#
# The lab can draw its map with UMAP, which keeps near tasks near. Here are three clouds of 100 points in 8 dimensions,
# made by hand. The second is 10 times as wide as the first. The third is about 8 times as far from the second as the
# second is from the first.

# %%
from taskembed_edu import LiveUMAP, pca_layout, trustworthiness

rng = torch.Generator().manual_seed(0)
clouds = torch.tensor([0.1, 1.0, 1.0])[:, None, None] * torch.randn(3, 100, 8, generator=rng)
clouds[:, :, 0] += torch.tensor([0.0, 12.0, 112.0])[:, None]
points = clouds.flatten(0, 1)
predict(
    "05.umap",
    "On UMAP's map, how wide is the second cloud, beside the first?",
    ["10 times as wide", "about 3 times as wide", "about as wide"],
)

# %%
ways = {
    "UMAP, seed 0": {},
    "UMAP, seed 1": {"seed": 1},
    "n_neighbors 5": {"n_neighbors": 5},
    "min_dist 0.99": {"min_dist": 0.99},
}
maps = {"PCA": pca_layout(points), **{name: LiveUMAP(**given).update(points) for name, given in ways.items()}}
figure, axes = plt.subplots(1, 5, figsize=(13, 3), layout="constrained")
wide, gaps = {}, {}
for ax, (name, layout) in zip(axes, maps.items(), strict=True):
    cloud = torch.tensor(layout).reshape(3, 100, 2)
    wide[name] = (cloud - cloud.mean(dim=1, keepdim=True)).norm(dim=2).mean(dim=1)
    gaps[name] = cloud.mean(dim=1).diff(dim=0).norm(dim=1)
    for k, colour in enumerate(("#d55e00", "#0072b2", "#009e73")):
        ax.scatter(*cloud[k].T, s=10, color=colour, label=("narrow", "wide", "wide and far")[k])
    ax.set_title(name, fontsize=13)
    ax.set_xlabel("x on the map", fontsize=13)
    ax.set_aspect("equal", adjustable="datalim")
axes[0].set_ylabel("y on the map", fontsize=13)
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=13, markerscale=3)
plt.show()
umap, loose = wide["UMAP, seed 0"], wide["min_dist 0.99"]
noise = torch.rand(200, 8, generator=rng)
times = umap[1] / umap[0]
found = {"10 times as wide": times > 7, "about 3 times as wide": 2 < times < 5, "about as wide": times < 1.5}
display(
    expected(
        ("PCA: second cloud, times as wide as the first", wide["PCA"][1] / wide["PCA"][0], 8, 16),
        ("UMAP: second cloud, times as wide as the first", times, 0.7, 1.4),
        ("PCA: third cloud, times as far", gaps["PCA"][1] / gaps["PCA"][0], 7, 10),
        ("UMAP: third cloud, times as far", gaps["UMAP, seed 0"][1] / gaps["UMAP, seed 0"][0], 0.6, 1.8),
        ("min_dist 0.99: clouds, times as wide as with 0.1", loose[1] / umap[1], 1.6, 2.6),
        ("UMAP: trustworthiness", trustworthiness(points, maps["UMAP, seed 0"]), 0.9, 0.98),
        ("UMAP of pure noise: trustworthiness", trustworthiness(noise, LiveUMAP().update(noise)), 0.78, 0.9),
    ),
    outcome("05.umap", {name: bool(is_so) for name, is_so in found.items()}),
)

# %% [markdown]
# **Explain.** UMAP draws the three clouds about equally wide and moves the far one near. So **sizes, gaps and empty
# space cannot be read off a UMAP map**. Who is whose neighbour can, roughly. Two settings change the drawing, not the
# vectors: `n_neighbors` says how many nearest tasks are to be kept near, and `min_dist` how near two points may be
# drawn. PCA keeps widths and distances along the two directions that it draws, and loses the others.
#
# **Trustworthiness** (可信度) says how far neighbours on the map are neighbours in the vectors. Pure noise gets a fair
# mark as well. So read a map in this order: trustworthiness; the same map with another seed and other `n_neighbors`;
# PCA beside it; recall@1 and Spearman, which never look at the map but at the vectors. What does not survive all four
# is a picture, not a finding.

# %% [markdown]
# ## Further: an encoder that cannot see
#
# The loss and the margin can be right, and the embedding still fails. Our encoder does not see $x$ itself but random
# waves of it, **Fourier features** (傅里叶特征). What are they good for? Average a wave's height times $\sin x$ and
# $\cos x$. Over a whole period, twice these averages are exactly the true coordinates $A \cos\varphi$ and
# $A \sin\varphi$ (the second with a minus). Over 16 random points they are so roughly.
#
# The *plain* encoder sees $x$ and $y$ as they are, through the same network of the same width, with the same loss.

# %%
from taskembed_edu import Sinusoids


def coordinates(x, y):
    return torch.stack((2 * (y * x.sin()).mean(dim=1), -2 * (y * x.cos()).mean(dim=1)), dim=1)


def features(seed):
    runs = {
        name: Session("metric", projection="pca", frame_every=300, seed=seed, features=name)
        for name in ("fourier", "plain")
    }
    return {f"{name}: recall@1": run.step(300).diagnostics["recall@1"] for name, run in runs.items()}


tasks = Sinusoids().sample(200, n_shot=16, rng=torch.Generator().manual_seed(0))
x = (2 * math.pi * torch.arange(1000) / 1000).expand(200, 1000)
true = Sinusoids().coordinates(tasks.truth)
whole = coordinates(x, Sinusoids().curve(tasks.truth, x[..., None])[..., 0])
torch.testing.assert_close(whole, true, atol=1e-4, rtol=1e-4)
few = coordinates(tasks.support_x[..., 0], tasks.support_y[..., 0])
share = (few - true).norm(dim=1).mean() / torch.pdist(true).mean()
display(
    expected(("16 points: mean error, as a share of the mean distance", share, 0.15, 0.25)),
    over_seeds("05.features", features, features(0), ("fourier: recall@1", 0.6, 0.85), ("plain: recall@1", 0.05, 0.3)),
)

# %% [markdown]
# **Explain.** The right waves are already most of the answer. A network of ReLUs is made of straight pieces. It learns
# slow functions of its input first, and fast ones late (spectral bias, 频谱偏差; Rahaman 2019). Here it would have to
# bend several times between $-5$ and $5$. Only the features differ between the two runs. Where an embedder fails, look
# also at what its encoder can see.

# %% [markdown]
# ## Three things to try
#
# In the lab above. It stands in the collapse of the first section. Each time: predict first.
#
# 1. Set the margin back to 1, and *Play*. Does the map come back?
# 2. Margin 1, loss *Triplet*, mining *Hardest*, learning rate 0.03; then *Reset*, and *Play* to step 150. Then mining
#    *All* and learning rate 0.001, and *Play* on. Does the map come back?
# 3. Margin 1, 64 dimensions, the cosine and the triplet loss with mining *All*; *Reset* and *Play*. Is the triplet loss
#    a cure there?
#
# <details><summary>What is to be seen</summary>
#
# 1. Yes. After 150 steps recall@1 is between 0.3 and 0.55: the small map still held a part of its order.
# 2. No. The mean distance is exactly 0, and it stays 0: where all vectors are the same, no gradient tells two tasks
#    apart. The loss stays at the margin. *Reset*, or drag the time slider to before the collapse and branch there.
# 3. No. Recall@1 rises to about 0.45, and Spearman falls from about 0.67 to 0.3, as with the contrastive loss.
# </details>
#
# ## Exercises
#
# **1.** Write semi-hard mining for one anchor and its positive: the place of the nearest negative that is farther than
# the positive, yet nearer than the positive plus the margin. No such negative: None.


# %%
def my_semi_hard(to_positive, to_negatives, margin):
    # solution
    inside = [i for i, d in enumerate(to_negatives) if to_positive < d < to_positive + margin]
    return min(inside, key=lambda i: to_negatives[i]) if inside else None
    # stub
    # return None  # put your lines in place of this one, and run the cell again
    # end


check("05.semi_hard", my_semi_hard)

# %% [markdown]
# **2.** Three friends report on runs with 200 tasks. For each: `"collapse"` or `"learns"`?
#
# - A: triplet loss, margin 0.5. "Since step 200: loss 0.500, mean distance 0.000, recall@1 0.005."
# - B: triplet loss, hard mining, margin 1. "From step 50 to 100 the loss stays near 1.0. Mean distance 0.9, then 1.8;
#   recall@1 0.26, then 0.41."
# - C: contrastive loss, margin 0. "Loss 0.003, the best ever. Mean distance 0.003, recall@1 0.02."

# %%
# solution
my_answers = ["collapse", "learns", "collapse"]
# stub
# my_answers = None  # for example ["learns", "learns", "learns"]: A, B, C
# end
check("05.report", my_answers)

# %% [markdown]
# **3. Open investigation.** Lose the geometry: with the lab, find a run in which recall@1 rises by at least 0.3 from
# its first frame to its last **while** Spearman falls by at least 0.15. Use the panel above. *Reset* keeps the settings
# of now: look at all of them before you *Play*.

# %%
# solution
lab.session.reset(metric="cosine", margin=1.0, dim=64)
lab.session.step(300)
# stub
# # Use the panel above, then run this cell.
# end
display(check("05.lost_geometry", lab), tally("05"))

# %% [markdown]
# ## What to remember
#
# - A small loss can be a collapse (坍缩), and a flat loss can hide learning.
# - A triplet loss at the margin makes one suspect a collapse. A mean distance near 0 and a recall@1 at chance confirm
#   it.
# - Hard mining (难例挖掘) needs a small learning rate. Losses of two minings cannot be compared.
# - Retrieval (检索) and geometry (几何) are two questions. Measure both.
# - An encoder must be able to see what tells tasks apart: for fast curves, Fourier features (傅里叶特征).
# - On a UMAP map read neighbours. Sizes and gaps cannot be read off it.
#
# Next: [06 Parameter-based embedding](06_parameter_based_embedding.ipynb).
#
# ## Sources
#
# - R. Hadsell, S. Chopra and Y. LeCun, *Dimensionality Reduction by Learning an Invariant Mapping*, 2006: the
#   contrastive loss, and what happens without its push.
# - F. Schroff, D. Kalenichenko and J. Philbin, *FaceNet*, 2015: triplets, semi-hard mining, a warning of collapse.
# - A. Hermans, L. Beyer and B. Leibe, *In Defense of the Triplet Loss for Person Re-Identification*, 2017: batch-hard
#   mining, and runs that collapse.
# - A. Rahimi and B. Recht, *Random Features for Large-Scale Kernel Machines*, 2007; M. Tancik and others, *Fourier
#   Features Let Networks Learn High Frequency Functions in Low Dimensional Domains*, 2020.
# - N. Rahaman and others, *On the Spectral Bias of Neural Networks*, 2019.
# - J. Venna and S. Kaski, *Neighborhood Preservation in Nonlinear Projection Methods*, 2001: trustworthiness.
# - L. McInnes, J. Healy and J. Melville, *UMAP*, 2018; section 6 names its weaknesses.
# - A. Coenen and A. Pearce, *Understanding UMAP*, 2019.
