"""Rehearsals: campaigns against simulated people, in virtual time, with the pacer that dials real ones.

Pure: conditions and seeds in, figures out.
"""
