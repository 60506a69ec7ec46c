"""Training: the house renderer, presets, the LTX-shaped model, its trainer, usage counts and evaluation.

Nothing here imports torch, diffusers or cv2 when a module is imported; they are imported where they work.
"""
