"""Which ATen operations belong to which operator class, and which cost nothing."""

from advisor.core.workload import OperatorClass


def _names(listing: str) -> frozenset[str]:
    return frozenset(listing.split())


_NORMALISATION = _names(
    """
    native_batch_norm cudnn_batch_norm _native_batch_norm_legit_no_training
    _native_batch_norm_legit _batch_norm_no_update native_layer_norm native_group_norm
    _fused_rms_norm linalg_vector_norm norm
    """
)
POOLING = _names(
    """
    max_pool2d_with_indices avg_pool2d _adaptive_avg_pool2d adaptive_max_pool2d mean sum
    amax max var var_mean std
    """
)
_ACTIVATION = _names(
    """
    relu hardtanh silu gelu hardswish hardsigmoid sigmoid tanh elu leaky_relu
    _prelu_kernel _softmax _safe_softmax softplus mish log_sigmoid_forward clamp
    clamp_min exp
    """
)
_ELEMENTWISE = _names(
    """
    add sub rsub mul div pow sqrt rsqrt neg abs square addcmul lerp maximum minimum
    where reciprocal sin cos erf floor ceil round log log2 eq ne gt ge lt le logical_not
    logical_and bitwise_not masked_fill remainder fmod sign
    """
)
_MOVEMENT = _names(
    """
    cat stack clone copy _to_copy constant_pad_nd reflection_pad2d roll index
    index_select gather scatter index_put im2col col2im upsample_bilinear2d
    upsample_bicubic2d _upsample_bicubic2d_aa _upsample_bilinear2d_aa upsample_nearest2d
    grid_sampler_2d repeat repeat_interleave flip topk sort argsort _unsafe_index tril
    triu cumsum pixel_shuffle pixel_unshuffle slice_scatter select_scatter fft_fft2
    _fft_r2c _fft_c2r _fft_c2c bernoulli unfold_backward masked_select new_tensor fill
    """
)
MATRIX = _names("mm addmm bmm baddbmm addmv mv dot linear matmul")
"""Products of matrices."""
CONVOLUTION = _names("convolution _convolution")
FREE = _names(
    """
    view _unsafe_view _reshape_alias reshape permute transpose t slice select expand
    unsqueeze squeeze split split_with_sizes chunk unbind detach alias as_strided unfold
    lift_fresh movedim diagonal view_as_real view_as_complex _conj real imag
    unsafe_split view_dtype dropout narrow empty empty_like empty_strided new_empty
    new_empty_strided new_zeros new_ones new_full zeros zeros_like ones ones_like full
    full_like arange linspace eye scalar_tensor sym_size sym_stride sym_numel
    is_same_size _local_scalar_dense item meshgrid set_ resize_ randperm rand randn zero
    """
)
"""Views, and tensors made from nothing: no runtime spends time on them."""
KNOWN = _NORMALISATION | POOLING | _ACTIVATION | _ELEMENTWISE | _MOVEMENT | MATRIX | CONVOLUTION
"""Operations with a counting rule."""
_CLASSES = (
    (OperatorClass.NORMALISATION, _NORMALISATION),
    (OperatorClass.POOLING, POOLING),
    (OperatorClass.ACTIVATION, _ACTIVATION),
    (OperatorClass.MOVEMENT, _MOVEMENT),
)


def operator_of(name: str) -> OperatorClass:
    """Return the class of an operation that is neither convolution nor matrix product.

    One without a rule counts as element-wise: it reads its inputs and writes its output once.
    """
    for operator, names in _CLASSES:
        if name in names:
            return operator
    return OperatorClass.ELEMENTWISE
