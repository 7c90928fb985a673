"""From a request to an answer: evidence, assessment, verdicts, ranking, documents."""
