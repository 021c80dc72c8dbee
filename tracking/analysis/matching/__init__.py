"""Which roads a track followed: a hidden Markov model over the shared road network (Newson & Krumm 2009).

观测 fix · 候选 candidate, a place on a road near a fix · 转移 transition. Fixes scatter about the road by a normal
distribution; the way along the roads between two fixes differs from the straight line by an exponential one; the most
probable sequence of places is Viterbi's.
"""
