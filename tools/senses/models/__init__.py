"""The senses of the full tier: models of torch and CTranslate2, for the worker that runs them.

Nothing here is imported by a program that asks: importing torch takes seconds and some hundred
megabytes. What loads a library does so in its functions.
"""
