"""Errors of the prompts.

PromptError
├── PromptTextError     the file of texts cannot be used
├── PromptAudioError    an audio file cannot become a prompt
└── SpeechMissingError  a speech engine is not installed
"""


class PromptError(Exception):
    """Base of the errors of the prompts."""


class PromptTextError(PromptError):
    """`prompts.yaml` cannot be used. The message names file and line."""


class PromptAudioError(PromptError):
    """An audio file of the site cannot become a prompt. The message names the file and says why."""


class SpeechMissingError(PromptError):
    """A speech engine is not installed. The message says how to install it."""
