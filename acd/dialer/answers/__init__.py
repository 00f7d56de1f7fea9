"""Who or what answered: a person, a machine, a fax, or nobody yet. Pure; what is done then is the dialer's.

    SoundHeard (switch) --Judge.heard--> Timeline --Model--> Verdict
                                                             a machine: MessageStart waits for the beep

`docs/answers.md` has the corpus, the figures and how the model was made. Nothing here reads a clock.
"""
