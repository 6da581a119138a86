"""What the executive may call, the senses, the readers of files and mail, and the policy."""
