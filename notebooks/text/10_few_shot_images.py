# %% [markdown]
# # Few-shot images: letters of a script that nobody has taught
#
# The document names **few-shot image classification** first among the applications: new classes, one to five pictures
# of each. Here a network learns the letters of five writing systems (文字系统), among them Latin, Greek and Georgian.
# Then it meets Hebrew, Arabic, N'Ko, Tifinagh, Lao and Ogham, of which it has never seen a letter. One example of each
# of five letters has to be enough. At the end you draw a letter yourself.
#
# ## What you will be able to do
#
# - say what *5-way 1-shot* means, and solve such a task by prototypes in a few lines
# - compare features that were learned by episodes with three baselines, by accuracy and macro-F1 with intervals
# - say why plain supervised features are as good, and what episodes are for
# - read a confusion matrix (混淆矩阵), and see that a probability cannot say "none of these"
# - keep a network from peeking at the other queries
#
# **Time:** 75 minutes; the core path alone 40.
#
# ## What you need first
#
# Lesson [09](09_judging_and_choosing.ipynb): accuracy, macro-F1, intervals. Lesson
# [08](08_inner_and_outer_loops.ipynb) helps.

# %% [markdown]
# ## One episode
#
# **5-way** (五类): a task asks for five letters of one script. **1-shot** (单样本): its support set has one picture of
# each. The query set has three more of each, by which the answers are judged. All letters come from the fonts of this
# installation: their lines are thinned, turned, bent, and drawn with a pen, so that no two are the same. Whole scripts
# are held out, so a new task has letters, and a writing system, that no training task has.

# %%
import torch

from taskembed_edu import Alphabets, Prototypes, pictures_figure, transfer
from taskembed_edu.course import check, expected, outcome, over_seeds, predict, tally

parts = Alphabets().split(torch.Generator().manual_seed(0))


def new_letters(seed, n_shot=1, n_tasks=600):
    return parts.unseen.sample(n_tasks, n_shot, n_query=3, rng=torch.Generator().manual_seed(1000 + seed))


tasks = new_letters(0)
one = tasks[0].episode
print(f"{len(one.support_x)} support pictures, {len(one.query_x)} query pictures; a guess is right once in 5")
rows = {"support: one of each class": one.support_x, "queries: three of each class": one.query_x}
display(pictures_figure(rows))
guesses = ["about 25 %: hardly better than chance", "about 60 %", "about 85 %"]
predict("10.pixels", "The nearest support picture by raw pixels: how many queries does it get right?", guesses)

# %% [markdown]
# ## Prototypes, by hand
#
# The **prototype** (原型) of a class is the mean feature of its support pictures. A query belongs to the nearest one
# (Snell 2017):
#
# $$c_k = \frac{1}{|S_k|} \sum_{i \in S_k} f(x_i), \qquad p(y = k \mid x) \propto \exp(-\lVert f(x) - c_k \rVert^2)$$
#
# $S_k$ is the support set's pictures of class $k$, and $f(x)$ the *features* of a picture $x$: the numbers that a
# network makes of it. With one picture a class the prototype is that picture's features. No weight moves: to learn a
# task *is* to take means. Here $f$ does nothing: the features are the pixels.


# %%
def by_hand(support, labels, queries):
    prototypes = torch.stack([support[labels == k].mean(dim=0) for k in range(5)])
    distances = (queries[:, None] - prototypes[None]).square().sum(dim=-1)
    return -distances


def raw_pixels(pictures):
    return pictures.flatten(1)


mine = by_hand(raw_pixels(one.support_x), one.support_y, raw_pixels(one.query_x))
package = Prototypes(raw_pixels).solve(tasks[:1], [0])[0](tasks.query_x[:1], tasks.query_y[:1])[0]
torch.testing.assert_close(mine, package, rtol=1e-4, atol=1e-3)
accuracy = transfer({"raw pixels": Prototypes(raw_pixels)}, tasks, (0,)).mean("raw pixels", "accuracy", 0)
happened = guesses[0] if accuracy < 0.4 else guesses[1] if accuracy < 0.75 else guesses[2]
display(expected(("accuracy of raw pixels", accuracy, 0.57, 0.69)), outcome("10.pixels", happened))

# %% [markdown]
# **Explain.** Letters of one size in one place share many pixels, and a slanted letter moves away from its own example.
# More than half is right all the same: the pixels are a baseline that one has to beat first.
#
# ## Features: by episodes, by classes, by nobody
#
# Lesson 09 ended with a surprise: on digits, raw pixels beat both a prototypical network and supervised features. Five
# digits were too few to learn from what makes a digit. *Does it turn round with many more classes?* was left for here.
# Five scripts have about a thousand letters. Three features, all of the same network: three blocks of convolution
# (卷积) and *pooling*, which keeps the largest of four neighbouring numbers. It has 19 thousand weights.
#
# - **random network**: nobody has trained it;
# - **supervised features**: it learned to *name* all the letters of training, each a class of its own (Chen 2019);
# - **prototypical network**: it learned by **episodes** (情节): 20 letters of one script, one picture of each, and the
#   queries must be nearest to their own prototype (Snell 2017).
#
# Both were trained on equally many pictures, about a minute on one core. That is too long for a cell, so their weights
# are kept with the course (`make artefacts` makes them again). In *Three things to try* you train one yourself.

# %%
from taskembed_edu import EpisodeTraining, conv_blocks
from taskembed_edu.course.artefacts.letters import letter_features

ways = ["random network", "supervised features", "prototypical network"]
choices = ["raw pixels, again", *ways[1:], "the last two: less than 2 points apart"]
predict("10.best", "Letters of scripts never seen, one picture of each. What answers best?", choices)


# %%
def features_of_seed(seed):
    nobody = EpisodeTraining(conv_blocks(torch.Generator().manual_seed(seed))).features
    learned = letter_features("classes", seed), letter_features("episodes", seed)
    return dict(zip(["raw pixels", *ways], [raw_pixels, nobody, *learned], strict=True))


def few_shot(seed):
    solvers = {way: Prototypes(features) for way, features in features_of_seed(seed).items()}
    return {n_shot: transfer(solvers, new_letters(seed, n_shot), (0,)) for n_shot in (1, 5)}


def read(results):
    return {
        f"{way}, {n_shot}-shot: {what}": result.mean(way, what, 0)
        for n_shot, result in results.items()
        for way in result.measured
        for what in ("accuracy", "macro-F1")
    }


def by_way(seed):
    return read(few_shot(seed))


results = few_shot(0)
mine = read(results)
for n_shot, result in results.items():
    low, high = result.interval("prototypical network", "accuracy", 0)
    print(f"prototypical network, {n_shot}-shot: the interval is less than 3 points wide: {high - low < 0.03}")
bands = {"raw pixels": (0.55, 0.88), "random network": (0.66, 0.93), ways[1]: (0.82, 0.98), ways[2]: (0.82, 0.98)}
rows = [(label, *bands[label.split(",")[0]]) for label in mine]
best = {way: mine[f"{way}, 1-shot: accuracy"] for way in ways[1:]}
close = abs(best[ways[1]] - best[ways[2]]) < 0.02
happened = choices[-1] if close else max(best, key=best.get)
display(over_seeds("10.by_way", by_way, mine, *rows), outcome("10.best", happened))

# %% [markdown]
# **Explain.** It has turned round: with a thousand letters the learned features leave raw pixels far behind, on scripts
# that they have never seen. Even a random network is better than pixels: convolution and pooling forgive small shifts.
# Five pictures of each class leave less to gain.
#
# And prototypical network and supervised features are as good as each other.
#
# ## Why episodes, then?
#
# The two differ by less than an interval is wide, and by seed now one is ahead, now the other. Chen and others (2019)
# found the same on photographs. So episodes are no secret of better features. What they are good for:
#
# - **They are the exam.** To *judge* on new classes one needs episodes, however the features were learned.
# - **They need no common list of classes.** Supervised training needs one name for each letter, across all tasks. An
#   episode needs only to know what belongs together *inside* a task. Where each task comes with labels of its own (each
#   customer's folders, each robot's objects), there is no such list.
# - **They train what is asked for.** No last layer is thrown away, and the distance of the test is that of training.
#
# ## What is taken for what
#
# An accuracy is one number. The **confusion matrix** (混淆矩阵) says *which* letters are taken for which. Here are 600
# tasks of Hebrew alone. A row is what was drawn, a column what it was taken for, in percent of the queries whose task
# has both letters. Each number has tasks of its own, so a row does not add up to 100. The picture shows the twelve
# letters that are mixed up most.

# %%
from taskembed_edu import confusion_figure, confusions

pairs = {"kaf and bet (כ, ב)": "כב", "shin and alef (ש, א)": "שא", "lamed and qof (ל, ק)": "לק"}
predict("10.pair", "Which of these pairs of Hebrew letters is mixed up most often?", list(pairs))


# %%
def hebrew_confusions(seed):
    hebrew = Alphabets(part=("Hebrew",))
    tasks = hebrew.sample(600, 1, n_query=3, rng=torch.Generator().manual_seed(seed))
    return hebrew, confusions(Prototypes(letter_features("episodes", seed)), tasks, hebrew.letters(tasks.truth))


hebrew, counts = hebrew_confusions(0)
names = [hebrew.letter_name(letter) for letter in counts.classes.tolist()]
places = {pair: [names.index(letter) for letter in letters] for pair, letters in pairs.items()}
mixed = {pair: float(counts.shares[a, b] + counts.shares[b, a]) / 2 for pair, (a, b) in places.items()}
looks = hebrew.printed().draw_letters(counts.classes, 1, torch.Generator().manual_seed(0))[:, 0]
display(confusion_figure(counts, looks, title="Hebrew, 5-way 1-shot"), outcome("10.pair", max(mixed, key=mixed.get)))

# %% [markdown]
# **Explain.** The network mixes up what a beginner mixes up: letters that differ by one small line. The mistakes are
# not spread evenly: of most pairs none is ever mixed up, and a few are in every third query. A single number hides
# this, and for a few pairs one would draw more examples.
#
# ## Adaptation: does fine-tuning help?
#
# Prototypes move no weight. The other way is lesson 08's: an **inner loop** of gradient steps on the support set. The
# body of the network stays as it is, and a new last layer, the *head*, is fitted (fine-tuning, 微调). Only the start of
# the head is open. One start is at random. The other is what prototypes answer: by
# $-\lVert f - c_k \rVert^2 = 2 c_k^\top f - \lVert c_k \rVert^2 - \lVert f \rVert^2$ they *are* a linear layer (Snell
# 2017, section 2.3).

# %%
import dataclasses

from taskembed_edu import MLP
from taskembed_edu.adaptation import class_means
from taskembed_edu.evaluation.solvers import FromStart, random_start

head = MLP(n_in=288, n_out=5, hidden=(), classification=True)


def prototypes_as_head(tasks):
    means = class_means(tasks.support_x, tasks.support_y, 5)
    return {"output.weight": 2 * means.transpose(1, 2), "output.bias": -means.square().sum(-1).unsqueeze(1)}


def seen_by(features, tasks):
    both = {"support_x": tasks.support_x, "query_x": tasks.query_x}
    return dataclasses.replace(
        tasks, **{k: features(x.flatten(0, 1)).unflatten(0, x.shape[:2]) for k, x in both.items()}
    )


def adapted(seed):
    starts, found = {"random start": random_start(head, seed), "prototypes' start": prototypes_as_head}, {}
    solvers = {name: FromStart(head, start, learning_rate=0.1) for name, start in starts.items()}
    for n_shot in (1, 5):
        tasks = seen_by(letter_features("episodes", seed), new_letters(seed, n_shot, 200))
        result = transfer(solvers, tasks, (0, 100))
        found |= {
            f"{name}, {n_shot}-shot, {k} steps": result.mean(name, "accuracy", k) for name in starts for k in (0, 100)
        }
    return found


mine = adapted(0)
rows = [(label, 0.1, 0.35) if "random" in label and " 0 steps" in label else (label, 0.8, 0.99) for label in mine]
over_seeds("10.adapted", adapted, mine, *rows)

# %% [markdown]
# **Explain.** From a random start, 100 steps lead to where the prototypes stand without any. From the prototypes' start
# they gain nothing, neither with one picture of each letter nor with five. So on good features a mean is hard to beat,
# and it costs no step. Chen (2019) found fine-tuning worth its steps where the new pictures are of another kind than
# those of training.
#
# ## A network that peeks
#
# *Batch normalisation* (批归一化) subtracts a mean and divides by a spread. In training these are of the batch. At the
# test they must be those of training (`network.eval()`). Normalised by its own batch, a query is answered with a look
# at all the other queries. What is that worth, and what does it cost where the batch is not mixed?

# %%
from taskembed_edu.course.artefacts.letters import letter_network

lots = ["nothing", "about 10 points", "more than 30 points"]
predict("10.peek", "Normalised by its batch, when all queries of a batch are of ONE class: the accuracy loses", lots)


# %%
@torch.no_grad()
def peeking(seed, n_tasks=100):
    network, right = (
        letter_network("episodes", seed),
        {"as in training": [], "all queries together": [], "class by class": []},
    )
    for task in new_letters(seed, 1, n_tasks):
        support, labels, queries, truth = task.episode
        batches = {"as in training": [queries], "all queries together": [queries], "class by class": queries.split(3)}
        for way, parts_of in batches.items():
            network.train(way != "as in training")
            answers = [by_hand(network(support), labels, network(part)).argmax(1) for part in parts_of]
            right[way].append((torch.cat(answers) == truth).float().mean())
    return {way: float(torch.stack(found).mean()) for way, found in right.items()}


mine = peeking(0)
lost = mine["as in training"] - mine["class by class"]
happened = lots[0] if lost < 0.03 else lots[1] if lost < 0.2 else lots[2]
rows = [("as in training", 0.8, 0.95), ("all queries together", 0.8, 0.95), ("class by class", 0.72, 0.87)]
display(over_seeds("10.peek", peeking, mine, *rows), outcome("10.peek", happened))

# %% [markdown]
# **Explain.** The same network, the same pictures, the same answers asked for: only the company of a query has changed.
# In a mixed batch peeking seems to do no harm, so nobody notices it; where the queries come class by class, six to nine
# points are gone. A score that depends on the company is no score of a classifier. Ask of every published number how it
# was normalised.
#
# ## A task's vector: which script is it?
#
# So far features of *pictures*. The mean and the spread of the features over the support set are a vector of the
# *task*, a task embedding (lesson 03). Does it tell the script? Each never-seen script's letters are dealt into two
# halves: the known tasks have ten letters from one, the new tasks ten from the other. So no letter can be found again,
# only what the letters of a script have in common. By chance 1 of 6.

# %%
from taskembed_edu.evaluation.scripts import alphabet_found_again, mean_and_spread

shares = ["about a third", "about three quarters", "nearly all"]
predict("10.scripts", "The vectors of a RANDOM network: how many tasks find their script?", shares)


# %%
def scripts(seed):
    found, ten_letters = {}, dataclasses.replace(parts.unseen, n_way=10)
    for way, features in features_of_seed(seed).items():
        judge, rng = alphabet_found_again(mean_and_spread(features)), torch.Generator().manual_seed(seed)
        found[way] = float(torch.stack([judge(ten_letters, rng).mean() for _deal in range(2)]).mean())
    return found


mine = scripts(0)
happened = shares[0] if mine["random network"] < 0.5 else shares[1] if mine["random network"] < 0.88 else shares[2]
rows = [("raw pixels", 0.55, 0.88), ("random network", 0.66, 0.88), (ways[1], 0.8, 1.0), (ways[2], 0.8, 0.98)]
display(over_seeds("10.scripts", scripts, mine, *rows), outcome("10.scripts", happened))

# %% [markdown]
# **Explain.** Writing systems differ in their lines: round or angular, with or without dots. Much of that can be seen
# without any learning: the random network and the raw pixels find more than three quarters. So never show the share of
# a trained network alone: what was *learned* is the difference from the best that has learned nothing.
#
# ## Your own letter
#
# Draw a letter with the mouse or a finger; with the keyboard, choose one from the palette, or a picture file. Five
# Hebrew letters that the network has never been trained on answer after each stroke, and the map shows where your
# drawing lies among the letters of the six scripts.

# %% tags=["step-0"]
from taskembed_edu import DrawingPad

features, rng = letter_features(), torch.Generator().manual_seed(1)
hebrew, six = Alphabets(part=("Hebrew",)), Alphabets().split(rng).unseen
strangers = hebrew.sample(1, 1, rng=rng)
names = [hebrew.letter_name(letter) for letter in hebrew.letters(strangers.truth)[0].tolist()]
map_of = {
    script: features(hebrew.draw_letters(torch.tensor(hebrew.letters_of(script)[:20]), 1, rng)[:, 0])
    for script in six.in_part()
}
pad = DrawingPad(features=features, support=dict(zip(names, strangers.support_x[0], strict=True)), scripts=map_of)
pad

# %% [markdown]
# ## Three things to try
#
# Each time: predict first.
#
# 1. On the pad, draw one of the five letters, and look at the bars after each stroke. When does the answer change?
# 2. *Clear*, and draw a letter of your own script, or a Chinese character. Which of the five does it become? And where
#    on the map does it lie?
# 3. In a cell of your own, train a network for half a minute: `mine = train_letters("episodes", seed=7, n_steps=300)`
#    (`from taskembed_edu.course.artefacts.letters import train_letters`), then
#    `transfer({"mine": Prototypes(mine.features)}, tasks, (0,)).mean("mine", "accuracy", 0)`.
#
# <details><summary>What is to be seen</summary>
#
# 1. Often before the letter is whole: a prototype needs what tells *these five* apart, not the whole letter.
# 2. It becomes one of the five, whatever it is: there is no sixth bar. The bars share 1 among those that are there.
# 3. A quarter of the steps gives most of the accuracy: about 0.8, where the kept network has nearly 0.9.
# </details>
#
# ## Further: Omniglot, drawn by people
#
# Omniglot (Lake, Salakhutdinov and Tenenbaum 2015) has 1,623 characters of 50 alphabets, each drawn by twenty people.
# Its official test are 20 runs: 20-way 1-shot within one alphabet. The pictures are not part of this course; they are
# fetched once, and checked by their hash. To run it here:
#
#     from taskembed_edu import omniglot_challenge
#     omniglot_challenge(letter_features())
#
# It needs the internet once, or the files in `$TASKEMBED_DATA/omniglot`. What we recorded, beside what others have
# published (`taskembed_edu.evaluation.omniglot.PUBLISHED` names where each figure stands):
#
# | error, mean of 20 runs | who |
# |---|---|
# | 95 % | a guess |
# | 75.2 % | raw pixels (recorded) |
# | 67.5 % | the random network (recorded) |
# | 41.5 % | the prototypical network of this lesson, which has learned from fonts alone (recorded) |
# | 38.8 % | modified Hausdorff distance |
# | 13.5 % | deep convolutional network |
# | 8.0 % | deep Siamese network |
# | 4.5 % | people |
# | 3.3 % | Bayesian program learning |
#
# The network has learned from fonts alone, bent by a formula, and it reads what people drew. It is far from a person
# all the same. The modified Hausdorff distance asks how far the ink of two pictures lies apart; it learns nothing, and
# is a little better. The two networks below it and Bayesian program learning learned from people's drawings of thirty
# other alphabets.
#
# ## Exercises
#
# **1.** A query lies at distance 1 from one prototype, and at distance 2 from another. There are no more classes. What
# is the probability of the nearer one (squared Euclidean distance, as above)?
#
# **2.** On Omniglot's runs (20-way), which error does a guess have, in percent?
#
# **3.** Write the answer of prototypes for features that are single numbers, `my_function(support, labels, query)`: the
# label of the class whose mean is nearest.

# %%
# solution
my_probability, my_error = 1 / (1 + 2.718281828 ** (1 - 4)), 95


def my_function(support, labels, query):
    prototypes = {}
    for k in set(labels):
        of_k = [x for x, label in zip(support, labels, strict=True) if label == k]
        prototypes[k] = sum(of_k) / len(of_k)
    return min(prototypes, key=lambda k: abs(query - prototypes[k]))


# stub
# my_probability = None  # put your number in place of None, and run the cell again
# my_error = None  # and here
#
#
# def my_function(support, labels, query):
#     return None  # put your lines in place of this one
#
#
# end
display(check("10.probability", my_probability), check("10.chance", my_error), check("10.function", my_function))

# %% [markdown]
# **4. An investigation.** Sure, and wrong: draw on the pad something that is none of the five letters, at a squared
# distance of more than 11 from all of them (99 % of Hebrew letters are nearer to their own prototype), and that the
# network answers with a probability of at least 0.9.

# %%
# solution
pad.draw([[(0.5, 0.1), (0.74, 0.82), (0.12, 0.38), (0.88, 0.38), (0.26, 0.82), (0.5, 0.1)]])
# stub
# # Use the pad above, then run this cell.
# end
display(check("10.sure_and_wrong", pad), tally("10"))

# %% [markdown]
# ## What to remember
#
# - Few-shot images (少样本图像分类) are solved by good features and a mean: to learn a new class takes no step.
# - With many classes of training, learned features leave raw pixels far behind. Lesson 09's five digits were too few.
# - Plain supervised features are as good as those of episodes. Episodes are the exam, and the way to train where tasks
#   have no common list of classes.
# - A probability compares the classes that are there. It cannot say "none of these".
# - Judge with the statistics of training (`eval()`), and show what has learned nothing beside a trained network.
#
# On to [12 Few-shot text and translation](12_few_shot_text_and_translation.ipynb): the same with words.
#
# ## Sources
#
# - J. Snell, K. Swersky and R. Zemel, *Prototypical Networks for Few-shot Learning*, 2017.
# - O. Vinyals and others, *Matching Networks for One Shot Learning*, 2016: episodes.
# - W.-Y. Chen and others, *A Closer Look at Few-shot Classification*, 2019: supervised features as the baseline.
# - B. M. Lake, R. Salakhutdinov and J. B. Tenenbaum, *Human-level concept learning through probabilistic program
#   induction*, 2015: Omniglot.
# - S. Ioffe and C. Szegedy, *Batch Normalization*, 2015.
