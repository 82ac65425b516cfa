"""
Who is better?
==============

Fifty-nine language models, 8,931 votes of a crowd on pairs of answers, and one question: which of them should we use?

The votes ship with the library (`steelyard.datasets.load_llmfao`, by Dmitry Ustalov, CC BY 4.0). Your own would be a CSV
with two columns of names and one that says who won; `steelyard rank FILE` reads it without a line of Python.
"""

from matplotlib import pyplot as plt

from steelyard import datasets, rank

votes = datasets.load_llmfao()
print(votes)

# %%
# From votes to a table
# ---------------------
# `Comparisons` counts equal rows. The workers are clusters: the votes of one person resemble each other, and errors that take
# them for independent would be too small.

games = votes.comparisons()
print(games)
print(games.components().describe())

# %%
# The last line matters. Had one model never lost, or had two groups never met, no finite strengths would exist, and the
# fit would refuse and name the models.
#
# The fit
# -------
# A strength a model, such that differences of strengths give the chances of a win, a tie and a loss (Davidson's model, as
# 39 % of the votes are ties). ``info.error_bound`` is the certificate: how far, in standard errors, the numbers can be from the exact
# optimum.

fit = rank.bradley_terry(games)
print(fit)

# %%
# GPT 4 leads. By how much, and how sure is that? Intervals on the Elo scale:

axes = fit.plot(top=20, scale="elo")
axes.set_title("The twenty strongest models, with 95 % intervals")

# %%
# First against second
# --------------------
# Intervals that overlap do not say that two models are equal: the errors of both may go up and down together. Ask for the difference
# itself.

first, second = fit.items[fit.order[:2]]
print(first, "less", second)
print(fit.contrast(first, second))
print(fit.predict(first, second))

# %%
# The difference is large, and still its interval reaches 0: few workers voted on this pair and on those around it.
#
# Which ranks are possible
# ------------------------
# Somebody has to be first, and whoever is first was lucky as well as good. Rank sets account for that: all of them
# together hold with 95 % confidence, so that you may look at any row, also at one chosen after looking.

sets = fit.rank_intervals()
axes = sets.plot(top=20)
axes.set_title("Ranks that the votes leave open")

# %%
# GPT 4 can be anywhere from first to a rank in the thirties, if all sets are to hold at once. Tiers put it shortly: models of one tier are
# not told apart from its best.

print(fit.tiers())

# %%
# How much would more votes help?
# -------------------------------
# Errors fall with the root of the number of votes. Here is the standard error of the difference of the two leaders, and
# what it would be with more workers like these.

error = fit.contrast(first, second).standard_error
figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
times = [1, 2, 4, 8, 16]
axes.plot(times, [error / k**0.5 for k in times], "o-", label="standard error, by the root rule")
axes.axhline(fit.contrast(first, second).estimate / 1.96, color="grey", linestyle="--")
axes.text(4, fit.contrast(first, second).estimate / 1.96, "the difference tells below this line", va="bottom")
axes.set_xlabel("times as many workers")
axes.set_ylabel("natural log of strength")
axes.set_ylim(0)
axes.set_title("Telling the first from the second")
axes.legend(frameon=False)

# %%
# The decision
# ------------
# For one model to use, GPT 4 is the best guess, and a cheaper one of the first tier is not shown to be worse. To drop
# models from a test, drop the third tier.
#
# What not to conclude
# --------------------
# - That the model of rank 5 is better than that of rank 9. Their sets are nearly the same.
# - That models of one tier are equal. They are not told apart by these votes.
# - That this holds for your prompts. There were thirteen prompts; the errors cover the workers, not the choice of
#   prompts. A cluster that was not declared is not in the interval.
# - That ties are noise. They carry information about closeness, which is why they are modelled and not dropped.
