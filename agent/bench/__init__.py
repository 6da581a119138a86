"""Measurements that anybody can repeat; one that scored nothing fails."""
