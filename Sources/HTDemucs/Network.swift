/// The classes of PyTorch that are built here, by their names in a checkpoint, and in what their constructors differ.
enum Network: String {
  /// Version 4 of Demucs, arXiv:2211.08553.
  case htdemucs = "demucs.htdemucs.HTDemucs"
  /// Version 3, arXiv:2111.03600.
  case hdemucs = "demucs.hdemucs.HDemucs"

  /// Defaults.
  var depth: Int { self == .htdemucs ? 4 : 6 }
  var dconvCompression: Double { self == .htdemucs ? 8 : 4 }
  var segment: Int { self == .htdemucs ? 10 : 40 }

  /// Parameters that only have an effect when they are true, as they are in every published model: refused otherwise.
  var required: [String] { self == .htdemucs ? ["cac"] : ["cac", "hybrid"] }

  /// Parameters that are refused when they are true.
  var refused: [String] {
    self == .htdemucs
      ? ["multi_freqs", "t_sin_random_shift", "t_sparse_self_attn", "t_sparse_cross_attn"] : ["multi_freqs"]
  }

  /// What the residual branches of a layer have beside convolutions.
  func context(_ arguments: Arguments) throws -> (_ layer: Int) -> DConvContext {
    guard self == .hdemucs else { return { _ in DConvContext() } }
    let range = -(1 << 20)...(1 << 20)
    let lstm = try arguments.integer("dconv_lstm", 4, in: range)
    let attention = try arguments.integer("dconv_attn", 4, in: range)
    return { DConvContext(hasLSTM: $0 >= lstm, hasAttention: $0 >= attention) }
  }

  /// Names of the constructor's parameters, in order.
  var parameters: [String] {
    switch self {
    case .htdemucs:
      Self.start + Self.middle + [
        "dconv_init", "bottom_channels", "t_layers", "t_emb", "t_hidden_scale", "t_heads", "t_dropout",
        "t_max_positions", "t_norm_in", "t_norm_in_group", "t_group_norm", "t_norm_first", "t_norm_out",
        "t_max_period", "t_weight_decay", "t_lr", "t_layer_scale", "t_gelu", "t_weight_pos_embed",
        "t_sin_random_shift", "t_cape_mean_normalize", "t_cape_augment", "t_cape_glob_loc_scale",
        "t_sparse_self_attn", "t_sparse_cross_attn", "t_mask_type", "t_mask_random_seed", "t_sparse_attn_window",
        "t_global_window", "t_sparsity", "t_auto_sparsity", "t_cross_first",
      ] + Self.end + ["use_train_segment"]
    case .hdemucs:
      Self.start + ["hybrid", "hybrid_old"] + Self.middle + ["dconv_attn", "dconv_lstm", "dconv_init"] + Self.end
    }
  }

  private static let start = [
    "sources", "audio_channels", "channels", "channels_time", "growth", "nfft", "wiener_iters", "end_iters",
    "wiener_residual", "cac", "depth", "rewrite",
  ]
  private static let middle = [
    "multi_freqs", "multi_freqs_depth", "freq_emb", "emb_scale", "emb_smooth", "kernel_size", "time_stride", "stride",
    "context", "context_enc", "norm_starts", "norm_groups", "dconv_mode", "dconv_depth", "dconv_comp",
  ]
  private static let end = ["rescale", "samplerate", "segment"]
}
