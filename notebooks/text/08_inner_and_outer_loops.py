# %% [markdown]
# # Inner and outer loops: learning to learn
#
# The document begins with two words. **Inner learning** (内部学习) is a model's learning on a single task. **Outer
# learning** (外部学习) is the learning across many tasks. Together they are **meta-learning** (元学习): to learn, from
# few examples, how to learn. So far the course has *described* tasks. In this lesson it *solves* new ones. First badly,
# from random weights. Then from a start that an outer loop has learnt.
#
# ## What you will be able to do
#
# - write the inner loop (内循环) and the outer loop (外循环) in a few lines each
# - say what MAML learns that ordinary pre-training does not
# - say what first order leaves out of the gradient, and what that costs
# - get a task embedding out of an inner loop: the context of CAVIA
# - say when more inner steps hurt
#
# **Time:** 80 minutes; the core path alone 45.
#
# ## What you need first
#
# Lessons [00](00_start_here.ipynb), [06](06_parameter_based_embedding.ipynb) and, for one comparison,
# [07](07_distributions_of_weights.ipynb).

# %% [markdown]
# ## The inner loop, alone
#
# A new wave comes, and we have 5 points of it: the **support set** (支持集). We take a network with random weights. An
# inner step moves each weight against its gradient on these 5 points, by the **inner rate** $\alpha$:
#
# $$\theta' = \theta - \alpha \, \nabla_\theta L^{\text{support}}(\theta)$$
#
# $\theta$ are the weights, $L^{\text{support}}$ is the mean squared error on the support set. The cell writes it by
# hand, and asks whether the package's `inner_loop` does the same. Then it is your turn to guess: the error is measured
# on 50 *other* points of the wave, the **query set** (查询集), over 500 new waves.

# %%
import matplotlib.pyplot as plt
import torch

from taskembed_edu import CAVIA, MAML, MLP, OuterLoop, Sinusoids, inner_loop
from taskembed_edu.course import check, outcome, over_seeds, predict, tally

net = MLP(n_in=1, n_out=1, hidden=(40, 40))


def inner_by_hand(theta, x, y, steps, inner_lr):
    for _step in range(steps):
        loss = (net.apply(theta, x) - y).square().mean()
        slopes = torch.autograd.grad(loss, list(theta.values()), create_graph=True)
        theta = {name: w - inner_lr * slope for (name, w), slope in zip(theta.items(), slopes, strict=True)}
    return theta


def waves(seed):
    rng = torch.Generator().manual_seed(seed)
    train, _validation, unseen = Sinusoids().split(rng)
    return train, unseen.sample(500, n_shot=5, n_query=50, rng=rng), rng


_train, new, rng = waves(0)
theta = {name: w.requires_grad_() for name, w in net.init(rng).items()}
mine = inner_by_hand(theta, new.support_x[0], new.support_y[0], 10, 0.01)
one = {name: w[None] for name, w in theta.items()}  # a stack of one network
package = inner_loop(net, one, new.support_x[:1], new.support_y[:1], steps=10, inner_lr=0.01)
torch.testing.assert_close(mine["output.weight"], package["output.weight"][0])
print("the same weights after 10 inner steps")
answers = ["at most half of it", "a little smaller", "as large as before, or larger"]
predict("08.alone", "Random weights, 10 inner steps on 5 points. The error on other points is then", answers)

# %%
MARKS = (0, 1, 2, 5, 10)


def along(method, start, tasks, marks=MARKS):
    return {
        step: float(loss) for step, loss in zip(marks, method.losses_along(start, tasks, marks).mean(1), strict=True)
    }


def alone(seed):
    _train, new, rng = waves(seed)
    found = along(MAML(net, inner_lr=0.01), OuterLoop(MAML(net), rng).start, new)
    return {f"random weights, {step} steps": loss for step, loss in found.items()}


random = alone(0)
ends = [(3, 6.5), (3, 6.5), (3, 6.5), (3, 6.5), (3, 7)]
rows = [(label, *band) for label, band in zip(random, ends, strict=True)]
share = random["random weights, 10 steps"] / random["random weights, 0 steps"]
happened = answers[0] if share < 0.5 else answers[1] if share < 0.97 else answers[2]
display(over_seeds("08.alone", alone, random, *rows), outcome("08.alone", happened))

# %% [markdown]
# **Explain.** Nothing is learnt that helps elsewhere. The network goes to the 5 points, and between them it does what
# random weights do. Its error on other points even grows. A flat line at 0 would be as good. Five points are not enough
# to learn from *alone*. But the waves have something in common, and there are many of them.
#
# ## The outer loop
#
# Many other waves are known: let them help. Two ways to use them, each with 2,000 **outer steps**, 25 waves a step, and
# the same network.
#
# - **Joint training**, or pre-training: one network for all waves at once. It makes the mean loss at $\theta$ small.
# - **MAML** (Finn, Abbeel and Levine 2017): it makes the loss small *after* an inner step. For each wave $i$ it takes
#   the inner step on the support set, and then looks at the query set:
#
# $$\min_\theta \; \frac{1}{n} \sum_i L_i^{\text{query}}\big(\theta - \alpha \nabla L_i^{\text{support}}(\theta)\big)$$
#
# So the outer loop does not ask where the network is good. It asks from where it *gets* good. Here is its loss by hand,
# on the inner loop of above. Then an optimiser (Adam) moves $\theta$ against the gradient of this number. That is all.


# %%
def outer_by_hand(theta, tasks):
    losses = []
    for task in range(len(tasks)):
        fast = inner_by_hand(theta, tasks.support_x[task], tasks.support_y[task], steps=1, inner_lr=0.01)
        losses.append((net.apply(fast, tasks.query_x[task]) - tasks.query_y[task]).square().mean())
    return torch.stack(losses).mean()


batch = new[:25]
by_hand = torch.autograd.grad(outer_by_hand(theta, batch), theta["output.weight"])[0]
stacked = {name: w[None] for name, w in theta.items()}
by_package = torch.autograd.grad(MAML(net, 0.01).outer_loss(stacked, batch), theta["output.weight"])[0]
torch.testing.assert_close(by_hand, by_package)
print("the same outer gradient")
names = ["joint training", "MAML", "about the same"]
predict("08.after", "After one inner step on 5 points, whose start answers new waves better?", names)


# %%
from taskembed_edu import JointTraining


def learn(method, seed, outer_steps=2000):
    train, _new, rng = waves(seed)
    loop = OuterLoop(method, rng)
    for _step in range(outer_steps):
        loop.step(train.sample(25, n_shot=5, n_query=10, rng=rng))
    return loop


ways = {"joint training": JointTraining(net, 0.01), "MAML": MAML(net, 0.01)}


def loops(seed):
    starts = {name: learn(method, seed).start for name, method in ways.items()}
    return judged(starts, waves(seed)[1]), starts


def judged(starts, tasks):
    return {
        f"{name}, {step} steps": loss
        for name, start in starts.items()
        for step, loss in along(ways[name], start, tasks).items()
    }


def started(seed):
    return loops(seed)[0]


mine, starts = loops(0)
figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
x = torch.linspace(-5, 5, 101)[:, None]
for ax, name in zip(axes, ways, strict=False):
    amplitude, phase = new.truth[3]
    ax.plot(x, amplitude * torch.sin(x - phase), color="#b0b0b0", label="the new wave")
    for steps, colour in ((0, "#e69f00"), (1, "#56b4e9"), (10, "#0072b2")):
        fast = ways[name].adapt(starts[name], new[3:4], steps)
        ax.plot(x, net.apply(fast, x[None])[0], color=colour, label=f"after {steps} steps")
    ax.plot(new.support_x[3], new.support_y[3], "o", color="#000000")
    ax.set(title=name, xlabel="x", ylim=(-5.5, 8.5))
axes[0].legend(fontsize=11, ncols=2, columnspacing=1, handlelength=1, loc="upper center")
for name, colour in zip(ways, ("#d55e00", "#009e73"), strict=True):
    axes[2].plot(MARKS, [mine[f"{name}, {step} steps"] for step in MARKS], "o-", color=colour, label=name)
axes[2].set(title="500 new waves", xlabel="inner steps", ylabel="query loss", ylim=(0, None))
axes[2].legend(fontsize=11)
plt.show()
rows = [("joint training, 0 steps", 2.5, 4.2), ("MAML, 0 steps", 2.5, 4.2), ("joint training, 1 steps", 2.6, 4.5)]
rows += [("MAML, 1 steps", 0.9, 1.7), ("joint training, 10 steps", 2.4, 4.5), ("MAML, 10 steps", 0.6, 1.2)]
joint, maml = (mine[f"{name}, 1 steps"] for name in ways)
happened = names[2] if 0.85 < maml / joint < 1.18 else names[0] if joint < maml else names[1]
display(over_seeds("08.started", started, mine, *rows), outcome("08.after", happened))

# %% [markdown]
# **Explain.** *Before* the first inner step there is nothing between them, and both are poor: a network that does not
# know which wave has come can at best answer the mean wave. The difference comes with the first step. From the jointly
# trained start, 5 points do not help; often they do harm. From MAML's start **one** step takes away most of the error.
# Both starts have seen the same waves, and both are one network. **MAML's start is not a good answer. It is a good
# place to leave from.**
#
# In lesson 07 the nearest known network was a good start too. It needs an embedding to be found, and a network for each
# known task. MAML keeps one network.
#
# ## First order: without the curvature
#
# The outer gradient passes *through* the inner step. There the loss has a second derivative (二阶导数): how the inner
# gradient itself changes as the start moves. **First-order MAML** drops it. With one weight one can do it by hand. Let
# the support loss be $w^2$, the query loss $(w - 1)^2$, the inner rate 0.1, and the start $w = 1$. The inner step leads
# to $w' = 1 - 0.1 \cdot 2 = 0.8$.
#
# - Second order: $2 (w' - 1) \cdot \frac{dw'}{dw} = 2 \cdot (-0.2) \cdot (1 - 0.1 \cdot 2) = -0.32$.
# - First order takes $\frac{dw'}{dw}$ for 1: $2 \cdot (-0.2) = -0.4$.
#
# A first-order step is cheaper, by about a fifth here. What does it cost in the end?

# %%
w = torch.tensor(1.0, requires_grad=True)
(inner_slope,) = torch.autograd.grad(w**2, w, create_graph=True)
for name, slope in (("second order", inner_slope), ("first order", inner_slope.detach())):
    print(f"{name}: {torch.autograd.grad((w - 0.1 * slope - 1) ** 2, w, retain_graph=True)[0]:.2f}")
ways["first order"] = MAML(net, 0.01, first_order=True)
orders = ["lower", "about the same", "higher"]
predict("08.order", "First-order MAML, as many outer steps. Its loss after one inner step, beside MAML's, is", orders)


# %%
def first(seed):
    return judged({"first order": learn(ways["first order"], seed).start}, waves(seed)[1])


by_order = first(0)
ratio = by_order["first order, 1 steps"] / mine["MAML, 1 steps"]
happened = orders[0] if ratio < 0.93 else orders[1] if ratio < 1.07 else orders[2]
rows = [("first order, 0 steps", 2.6, 4.8), ("first order, 1 steps", 1.2, 2.1), ("first order, 10 steps", 0.8, 1.5)]
display(over_seeds("08.first", first, by_order, *rows), outcome("08.order", happened))

# %% [markdown]
# **Explain.** It is behind, and on these waves it stays behind. On pictures the two are often about as good (Finn 2017,
# table 1), since ReLU networks are straight almost everywhere, and most of the second derivative is 0 there. Try both.
# **Reptile** (Nichol 2018) needs no second derivative either: it trains on each task, and moves the start towards where
# the training ended. The lab below has it.
#
# ## A task embedding from an inner loop
#
# Must an inner loop move all 1,761 weights? **CAVIA** (Zintgraf 2019) gives the network a few more inputs, the
# **context** (上下文参数). It is 0 for every task at the start. The inner loop moves the context, and nothing else. The
# outer loop moves everything else. So what a task has taught stands in 5 numbers. They are a **task embedding**: low in
# dimension, as the document asks for, and it *works*. Put into the network, it answers the task.

# %%
from taskembed_edu import TrueGeometry, linear_probe

ways["CAVIA"] = CAVIA(net, inner_lr=1.0, inner_steps=2, n_context=5)
sizes = ["larger", "about the same", "smaller"]
predict("08.context", "5 numbers may move, not 1,761. The loss after two inner steps, beside MAML's, is", sizes)


# %%
def with_context(seed):
    start, new = learn(ways["CAVIA"], seed).start, waves(seed)[1]
    found = judged({"CAVIA": start}, new)
    vectors, places = ways["CAVIA"].context(start, new), Sinusoids().coordinates(new.truth)
    found["context: Spearman"] = TrueGeometry(torch.cdist(places, places)).spearman(vectors)
    found["context: linear R2"] = linear_probe(vectors, places)
    return found, vectors, places


def context(seed):
    return with_context(seed)[0]


by_context, vectors, places = with_context(0)
figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
back = torch.linalg.lstsq(vectors, places).solution  # the linear view of the 5 numbers that is nearest to the truth
for ax, points, title in zip(axes, (places, vectors @ back), ("the truth", "read from 5 context numbers"), strict=True):
    dots = ax.scatter(*points[:150].T, c=new.truth[:150, 1], s=18, cmap="cividis")
    ax.set(title=title, xlabel="amplitude times cos(phase)", ylabel="times sin(phase)")
figure.colorbar(dots, ax=axes).set_label("phase", fontsize=13)
plt.show()
rows = [("CAVIA, 0 steps", 2.5, 4.2), ("CAVIA, 2 steps", 0.15, 0.45), ("CAVIA, 10 steps", 0.05, 0.25)]
rows += [("context: Spearman", 0.85, 1), ("context: linear R2", 0.75, 1)]
ratio = by_context["CAVIA, 2 steps"] / mine["MAML, 2 steps"]
happened = sizes[2] if ratio < 0.85 else sizes[1] if ratio < 1.15 else sizes[0]
display(over_seeds("08.context", context, by_context, *rows), outcome("08.context", happened))

# %% [markdown]
# **Explain.** Fewer numbers, and a *smaller* loss. MAML's steps with a rate of 0.01 must be short, or the network
# breaks (see below). The context can go far in one step, and the outer loop has arranged the network so that it leads
# where waves are. And the map is there for nothing: 5 numbers that nobody asked to be a map keep the true distances.
# This is the course's fourth kind of embedding. Lesson 09 compares them.
#
# ## More inner steps always help?
#
# MAML's start was trained for one inner step. What do 200 steps do? Two experiments: points with noise (each $y$ is
# moved by a random number of spread 1), and an inner rate of 0.05 in place of 0.01.

# %%
AFTER = (0, 1, 2, 5, 10, 20, 50, 100, 200)
ends = ["smaller", "about the same", "larger"]
predict("08.steps", "Noisy points, rate 0.01. The query loss after 200 steps, beside that after 2 steps, is", ends)


# %%
def noisy(seed, start):
    new, rng = waves(seed)[1], torch.Generator().manual_seed(seed)
    noise = torch.randn(new.support_y.shape, generator=rng)
    judges = {"noisy": new.with_support(new.support_x, new.support_y + noise), "exact": new}
    found = {
        f"{kind}, {s} steps": v
        for kind, tasks in judges.items()
        for s, v in along(MAML(net, 0.01), start, tasks, AFTER).items()
    }
    fast = along(MAML(net, inner_lr=0.05), start, new, (0, 1, 2))
    return found | {f"rate 0.05, {step} steps": loss for step, loss in fast.items()}


def more_steps(seed):
    return noisy(seed, learn(ways["MAML"], seed).start)


by_steps = noisy(0, starts["MAML"])
_figure, ax = plt.subplots(figsize=(9, 3), layout="constrained")
for kind, colour in (("noisy", "#d55e00"), ("exact", "#0072b2")):
    ax.plot(
        range(len(AFTER)), [by_steps[f"{kind}, {s} steps"] for s in AFTER], "o-", color=colour, label=f"{kind} points"
    )
ax.set_xticks(range(len(AFTER)), AFTER, fontsize=13)
ax.set(xlabel="inner steps", ylabel="query loss", ylim=(0, None))
ax.legend(fontsize=13)
plt.show()
rows = [("noisy, 2 steps", 1, 1.8), ("noisy, 200 steps", 1.6, 2.6), ("exact, 2 steps", 0.8, 1.4)]
rows += [("exact, 200 steps", 0.5, 1), ("rate 0.05, 1 steps", 8, 200), ("rate 0.05, 2 steps", 1000, 1e10)]
ratio = by_steps["noisy, 200 steps"] / by_steps["noisy, 2 steps"]
happened = ends[0] if ratio < 0.85 else ends[1] if ratio < 1.15 else ends[2]
display(over_seeds("08.more_steps", more_steps, by_steps, *rows), outcome("08.steps", happened))

# %% [markdown]
# **Explain.** With noise the best number of steps is about two. After that the network learns the noise by heart, as in
# lesson 07. With exact points more steps do help, though less and less. And with a rate five times as large, one step
# makes everything worse, and two steps blow it up. MAML's start is a place from which steps of *its own* length lead
# somewhere. "More inner steps always help" is false in three ways: it depends on the noise, on the rate, and on the
# steps that the start was learnt for.
#
# ## The lab
#
# **Inner loop** shows one unseen wave in slow motion: its points, and the curves from several starts side by side. Drag
# the points, or draw a wave of your own. The starts are a random one, the meta-learned one, and the network of the
# known task that is nearest. **Outer loop** shows the map of weights: *Play* trains the start, and each arrow is one
# task's inner loop. Go back with the time slider: the start of step 0 knows nothing. *Loss before* and *Loss*, below or
# beside, are means over many waves: before the inner loop, and after its five steps.

# %% tags=["step-0"]
from taskembed_edu import AdaptationLab

lab = AdaptationLab("sinusoids", n_shot=5, seed=0)
lab

# %% [markdown]
# ## Three things to try
#
# In the lab. Each time: predict first.
#
# 1. *Play* (it stops at step 300). The first wave is near the mean wave, so any start is good for it: press *Another
#    task* until the amplitude is above 2. Then *Slow motion*. How far does one inner step go, and how far do ten? Try
#    several waves.
# 2. *Method* to *Joint training*, *Reset*, *Play* to step 300, *Slow motion* again.
# 3. *Method* to *MAML*, *Reset*, *Play* to step 300. Then move *Inner rate* up, one place at a time. When does
#    it break?
#
# <details><summary>What is to be seen</summary>
#
# 1. On most waves the first step brings more than the nine that follow. It depends on the points: where none of the
#    five lies, a step can learn little. Over many waves *Loss before* is near 3.0, and *Loss* near 1.3. The nearest
#    task's network may be thrown far off by its first steps: for it, a rate of 0.01 is too large.
# 2. The start is the mean wave, and not bad for waves that are like it. But the steps help little, and on some waves
#    they harm: *Loss before* is near 2.9, and *Loss* still near 2.6.
# 3. At 0.02 the result is already worse than at 0.01. At 0.1 the loss grows from step to step, and is lost. A moment
#    later the lab says the largest rate that is stable there: about 0.04.
# </details>
#
# ## Further: the loss over the start
#
# A network of 1,761 weights cannot be drawn. So here is a model with two: $f(x) = a \sin(x - p)$, an amplitude $a$ and
# a phase $p$. Each point of the plane is a whole model. Choose *Outer loop*: the lab draws the loss for each start,
# before the inner loop (0) and after some inner steps. Light is a low loss, and each dot is one wave's own best place.
# An amplitude of $-a$ and a phase shifted by $\pi$ make the same wave again: so the best region is there more than
# once, and the dots hide one of them. Click where you think a start is best, and press *Train from here*: a new run
# begins there, and *Play* trains it. Then let *MAML*, *first order* and *Reptile* go from the same place (*Compare the
# methods*).

# %% tags=["step-0"]
wave_lab = AdaptationLab(
    "sinusoids", learner="wave", method="joint", n_shot=5, inner_lr=0.1, inner_steps=3, learning_rate=0.03, seed=0
)
wave_lab

# %% [markdown]
# ## Exercises
#
# **1.** One weight $w = 1$, the loss $w^2$, the inner rate 0.1. Where is $w$ after *two* inner steps?
#
# **2.** As in the section on first order, but with an inner rate of 0.25: what is the outer gradient of *second*-order
# MAML at $w = 1$? (Support loss $w^2$, query loss $(w - 1)^2$, one inner step.)
#
# **3.** Write the inner loop for the loss $(w - c)^2$ of one weight: `adapt(w, c, inner_lr, steps)` returns the weight
# after so many steps.

# %%
# solution
my_weight, my_gradient = 0.64, 2 * (0.5 - 1) * (1 - 0.5)


def my_adapt(w, c, inner_lr, steps):
    for _step in range(steps):
        w = w - inner_lr * 2 * (w - c)
    return w


# stub
# my_weight = None  # put your number in place of None, and run the cell again
# my_gradient = None  # and here
#
#
# def my_adapt(w, c, inner_lr, steps):
#     return None  # put your lines in place of this one
#
#
# end
display(check("08.two_steps", my_weight), check("08.second_order", my_gradient), check("08.adapt", my_adapt))

# %% [markdown]
# **4. An investigation.** Use the lab of two numbers. Run its cell again: *Method* is *Joint training*. At step 300 the
# loss after the inner loop is near 1.1, and the loss *before* it near 3. Bring the loss after the inner loop below 0.95
# at step 300, with the same three inner steps at the same rate. What happens to the loss before?

# %%
# solution
wave_lab.session.set(method="maml")
wave_lab.session.step(300)
# stub
# # Use the panel above, then run this cell.
# end
display(check("08.leave_from", wave_lab), tally("08"))

# %% [markdown]
# ## What to remember
#
# - Inner learning (内部学习) is learning within one task; outer learning (外部学习) is learning across tasks. The outer
#   loop makes the inner loop's *result* good.
# - From random weights, five points teach nothing about the rest of a wave. From a jointly trained network they teach
#   hardly more. From MAML's start one step is enough to know most of it.
# - MAML's start is not a good answer, it is a good place to leave from.
# - First order drops the second derivative: cheaper, and here worse.
# - CAVIA puts all that a task teaches into a few numbers. They are a task embedding, and they work.
# - More inner steps hurt where points are noisy or the rate is large. Look at query points.
#
# Next: [09, judging and choosing](09_judging_and_choosing.ipynb).
#
# ## Sources
#
# - J. Schmidhuber, *Evolutionary Principles in Self-Referential Learning*, 1987; Y. Bengio, S. Bengio and J. Cloutier,
#   *Learning a Synaptic Learning Rule*, 1991: the two loops.
# - C. Finn, P. Abbeel and S. Levine, *Model-Agnostic Meta-Learning*, 2017: MAML, first order, and the waves.
# - A. Nichol, J. Achiam and J. Schulman, *On First-Order Meta-Learning Algorithms*, 2018: Reptile.
# - L. Zintgraf and others, *Fast Context Adaptation via Meta-Learning*, 2019: CAVIA.
