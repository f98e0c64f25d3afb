//! The weights' format and type.

use weightsmith_tensors::{DType, main_dtype};

use super::report::{HostCheck, Requirement};
use super::{Evidence, some_of};

/// Endings of pickles and of their indexes, which can run code when they are loaded.
const PICKLES: [&str; 5] = [".bin", ".bin.index.json", ".pt", ".pth", ".ckpt"];

/// Safetensors, and what lies beside them.
pub(super) fn format(evidence: &Evidence<'_>) -> HostCheck {
    const THIS: Requirement = Requirement::Safetensors;
    let files = evidence.subject.files;
    let of = |ends: &[&str]| -> Vec<&String> {
        let has = |name: &&String| ends.iter().any(|end| name.ends_with(end));
        files.iter().filter(has).collect()
    };
    let pickles = of(&PICKLES);
    let safetensors = of(&[".safetensors"]);
    match evidence.subject.weights {
        Err(_) if safetensors.is_empty() && !pickles.is_empty() => HostCheck::failed(
            THIS,
            format!("the only weights are pickles: {}", some_of(&pickles)),
            "hosts do not load pickles: save the model with `save_pretrained(…, safe_serialization=True)`",
        ),
        Err(_) if safetensors.is_empty() => HostCheck::failed(
            THIS,
            "there are no weights",
            "hosts need the whole model, not just an adapter or a GGUF file",
        ),
        Err(problem) => HostCheck::failed(
            THIS,
            problem,
            "create the model again; a download may be incomplete",
        ),
        Ok(_) if !pickles.is_empty() => HostCheck::warned(
            THIS,
            format!("there are also pickles: {}", some_of(&pickles)),
            "hosts ignore them, but scanners flag them: remove them",
        ),
        Ok(checkpoint) if !checkpoint.wrappers().is_empty() => HostCheck::failed(
            THIS,
            format!(
                "tensor names contain `{}.`, added by a wrapper",
                checkpoint.wrappers().join(".`, `")
            ),
            "loaders do not know these names; merge the model with `passthrough` to remove the prefix",
        ),
        Ok(checkpoint) => {
            let count = checkpoint.files().len();
            let files = if count == 1 { "file" } else { "files" };
            HostCheck::passed(
                THIS,
                format!("{count} {files}, {} tensors", evidence.tensors.len()),
            )
        }
    }
}

/// All weights in one type of 16 bits.
pub(super) fn types(evidence: &Evidence<'_>) -> HostCheck {
    const THIS: Requirement = Requirement::WeightsType;
    const HINT: &str = "merge with `out_dtype: bfloat16`";
    let Some(main) = main_type(evidence) else {
        return HostCheck::failed(
            THIS,
            "there are no weights to check",
            "see `safetensors` above",
        );
    };
    if let Some(method) = evidence
        .config("quantization_config")
        .filter(|method| !method.is_null())
    {
        let method = method["quant_method"].as_str().unwrap_or("some method");
        return HostCheck::failed(
            THIS,
            format!("the weights are quantized with {method}"),
            "hosts quantize from 16 bits themselves: publish the original weights",
        );
    }
    if !matches!(main, DType::F16 | DType::BF16) {
        return HostCheck::failed(THIS, format!("most weights are {main}"), HINT);
    }
    let others: Vec<String> = evidence
        .tensors
        .iter()
        .filter(|tensor| tensor.info.dtype != main)
        .map(|tensor| format!("{} ({})", tensor.name, tensor.info.dtype))
        .collect();
    if others.is_empty() {
        return HostCheck::passed(THIS, config_type(evidence, main));
    }
    let packed = evidence
        .tensors
        .iter()
        .any(|tensor| tensor.info.dtype.bits() < 16 && tensor.info.shape.len() > 1);
    let reason = format!("mixed: {main}, but not {}", some_of(&others));
    if packed {
        HostCheck::failed(THIS, reason, HINT)
    } else {
        HostCheck::warned(
            THIS,
            reason,
            "hosts convert them to one type; `out_dtype: bfloat16` does this in the merge",
        )
    }
}

/// The type that most elements have.
pub(super) fn main_type(evidence: &Evidence<'_>) -> Option<DType> {
    main_dtype(evidence.tensors.iter().map(|tensor| &tensor.info))
}

fn config_type(evidence: &Evidence<'_>, main: DType) -> String {
    let stated = ["dtype", "torch_dtype"]
        .iter()
        .find_map(|key| evidence.config(key)?.as_str());
    let expected = if main == DType::BF16 {
        "bfloat16"
    } else {
        "float16"
    };
    match stated {
        Some(stated) if stated != expected => {
            format!("{main}; `config.json` says {stated}, and hosts will convert to that")
        }
        _ => main.to_string(),
    }
}
