"""The record of every decision and every use of the sealed labels."""
