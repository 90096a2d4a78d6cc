"""What rules require beside what the methods that they follow require in clear."""
