"""What the peer plans for a recipe."""
import versions  # first: it keeps the peer off the network
import yaml
from mergekit.architecture import get_architecture_info
from mergekit.config import MergeConfiguration
from mergekit.io.tasks import LoaderCache
from mergekit.options import MergeOptions
from mergekit.plan import MergePlanner


def planned(text):
    """Every output tensor of a recipe with its inputs and parameters, as mergekit plans it."""
    config = MergeConfiguration.model_validate(yaml.safe_load(text))
    options = MergeOptions(write_model_card=False, quiet=True)
    architecture = get_architecture_info(config, options)
    LoaderCache().setup(options=options)
    reference = config.base_model or config.referenced_models()[0]
    out_config = reference.config()
    if config.slices:
        out_config.num_hidden_layers = sum(s.sources[0].layer_range[1] - s.sources[0].layer_range[0] for s in config.slices)
    planner = MergePlanner(config, architecture, options=options, out_model_config=out_config)
    planner._plan()
    for weight, task in planner._tensors:
        names = {model: w.name for model, w in task.gather_tensors.weight_info.items()}
        yield {
            "name": weight.name,
            "base": task.base_model,
            "shared": dict(task.parameters),
            "inputs": [(model, names[model], dict(task.input_parameters[model])) for model in task.model_order],
        }


def folder(model):
    return model.model.path
