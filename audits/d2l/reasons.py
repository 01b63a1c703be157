"""What both modules define and nothing can be compared of, and why."""

from __future__ import annotations

from audits.d2l.case import AuditCase

ABSTRACT = "abstract: it computes nothing until a subclass says what; its subclasses are cases"
FILES = "reads or loads a corpus or images: data, no model; nothing is fetched here"
FIGURES = "draws figures or measures time"
MACHINE = "says what devices or helpers the machine has, or moves files"
OWN_DRAW = "draws its data from each framework's own generator, which differ by design"

REASONS = {
    ABSTRACT: ("HyperParameters", "Module", "DataModule", "Classifier", "Encoder", "Decoder", "AttentionDecoder"),
    FILES: (
        "FashionMNIST", "MTFraEng", "TimeMachine", "BananasDataset", "VOCSegDataset", "SNLIDataset", "_WikiTextDataset",
        "TokenEmbedding", "load_array", "load_data_bananas", "load_data_fashion_mnist", "load_data_imdb",
        "load_data_nmt", "load_data_ptb", "load_data_snli", "load_data_voc", "load_data_wiki", "read_csv_labels",
        "read_data_bananas", "read_data_nmt", "read_imdb", "read_ptb", "read_snli", "read_voc_images", "_read_wiki",
        "get_data_ch11", "get_fashion_mnist_labels", "download", "download_extract", "extract",
    ),
    FIGURES: (
        "Animator", "ProgressBoard", "Timer", "Benchmark", "annotate", "plot", "set_axes", "set_figsize",
        "show_bboxes", "show_heatmaps", "show_images", "show_list_len_pair_hist", "show_trace_2d", "use_svg_display",
        "bbox_to_rect",
    ),
    MACHINE: (
        "cpu", "gpu", "num_gpus", "try_gpu", "try_all_gpus", "get_dataloader_workers", "copyfile", "reorg_test",
        "reorg_train_valid", "add_to_class", "check_len", "check_shape",
    ),
    OWN_DRAW: ("SyntheticRegressionData", "synthetic_data", "voc_rand_crop"),
    "needs several devices: gluon's split_and_load against nn.parallel.scatter": ("split_batch",),
    "draws its own initial weights; its parts linreg, squared_loss and sgd are cases": ("train_ch11",),
    "draws its own initial weights; it takes the optimizer's name in MXNet, its class in torch. By reading: torch "
    "learns from nn.MSELoss, twice MXNet's L2Loss (mxnet.py:1406, torch.py:1407), and halves what it prints "
    "(torch.py:1424), so the same lr learns twice as fast there": ("train_concise_ch11",),
    "draws its own initial weights (Xavier in both; biases 0 in MXNet, U(+-1/sqrt(in)) in torch); its step is that of "
    "LeNet's case": ("train_ch6",),
    "many devices and figures around train_batch_ch13, which is a case": ("train_ch13",),
    "draws its own initial weights. By reading: MXNet's trainer.step(num_tokens) divides clipped gradients by the "
    "number of tokens (mxnet.py:3292), torch's step does not (torch.py:3426): Adam all but "
    "cancels it": ("train_seq2seq",),
}  # fmt: skip

CASES = tuple(AuditCase(name, reason=reason) for reason, names in REASONS.items() for name in names)
