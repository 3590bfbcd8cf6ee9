"""oddjet: from CMS-style ROOT files to anomaly-detection AUC heatmaps."""
