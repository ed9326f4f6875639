"""Coverage, triggers, batches, datasets, training, gates, promotion, serving, receipts."""
