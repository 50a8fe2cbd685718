"""Brings a repository that an older template made to the present one."""
