"""The same merge on tensors of every shape."""
from golden import SHAPES, Checked


def shapes(method, kind, parameters=None, each=None, count=2, without_base=False, refused=(), part="shapes"):
    """`count` inputs beside the base, whose position changes from shape to shape; `refused` shapes are those that the peer fails on."""
    golden = Checked(method, part, kind)
    for number, (name, shape) in enumerate(SHAPES.items()):

        def build():
            base, *tunes = golden.family(name, shape, count)
            place = number % (count + 1)
            inputs = tunes if without_base else tunes[:place] + [base] + tunes[place:]
            if without_base:
                del golden.tensors[base]
            merge = golden.refused if name in refused else golden.case
            merge(name, inputs, None if without_base else place, parameters, each)

        golden.group(build)
    golden.save()
