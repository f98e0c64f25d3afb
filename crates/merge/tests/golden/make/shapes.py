"""The same merge on tensors of every shape."""
from golden import SHAPES, Checked, drawn


def shapes(method, kind, parameters=None, each=None, count=2, without_base=False, refused=(), part="shapes", change=0.3, alike=False,
           information=False):
    """`count` inputs beside the base, whose position changes from shape to shape.

    refused  the shapes that the peer fails on
    alike    the fine-tunes have half of their deltas in common
    """
    golden = Checked(method, part, kind)
    for number, (name, shape) in enumerate(SHAPES.items()):

        def build():
            base, *tunes = golden.family(name, shape, count, change)
            if alike:
                common = change * drawn(f"{name} common {golden.attempt}", shape)
                tunes = [golden.input(tune, golden.tensors[tune].double() + common) for tune in tunes]
            place = number % (count + 1)
            inputs = tunes if without_base else tunes[:place] + [base] + tunes[place:]
            if without_base:
                del golden.tensors[base]
            if name in refused:
                golden.refused(name, inputs, None if without_base else place, parameters, each)
            else:
                golden.case(name, inputs, None if without_base else place, parameters, each, information=information)

        golden.group(build)
    golden.save()
