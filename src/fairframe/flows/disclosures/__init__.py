"""What a lab publishes about a model: one file for each document, and one line of DOCUMENTS."""
