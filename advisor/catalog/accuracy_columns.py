"""Columns of the catalog's tables of accuracies: what is read is what the intake writes."""

ACCURACY_COLUMNS = (
    *("network", "tag", "resolution", "top1_percent", "top5_percent", "real_top1_percent"),
    *("real_top5_percent", "v2_top1_percent", "v2_top5_percent", "a_top1_percent"),
    *("a_top5_percent", "r_top1_percent", "r_top5_percent", "sketch_top1_percent"),
    *("sketch_top5_percent", "parameters_m", "training_data", "distilled", "license"),
    *("source", "source_ref"),
)
MULTIPLIER_COLUMNS = (
    *("recipe_id", "family", "variant", "network", "resolution", "width", "depth"),
    *("top1_percent", "top5_percent", "parameters_m", "macs_m", "build", "build_parameters_m"),
    *("build_macs_m", "parameters_check", "source_ref"),
)
CHANGE_COLUMNS = (
    *("network", "family", "precision", "method", "float_top1_percent", "top1_percent"),
    *("delta_points", "images", "caveats", "model_raw", "source", "source_ref"),
)
COMPRESSION_COLUMNS = (
    *("model", "network", "method", "dataset", "top1_before_percent", "top1_after_percent"),
    *("delta_points", "parameters_before_m", "parameters_after_m", "macs_before_m"),
    *("macs_after_m", "reduction", "source_ref"),
)
CIFAR_COLUMNS = (
    *("network", "model", "width", "parameters_m", "macs_m", "cifar10_top1_percent"),
    *("cifar100_top1_percent", "training", "epochs", "caveats", "source_ref"),
)
CLAIM_COLUMNS = ("claim", "verdict", "official_value", "source_ref")
