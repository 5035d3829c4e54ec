"""How the network learns: examples, supervised fine-tuning, rewards, advantages, PPO."""
