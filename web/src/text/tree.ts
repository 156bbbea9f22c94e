import type { RollupDepartment } from '../protocol/duties'

export interface Branch extends RollupDepartment {
  below: Branch[]
}

/** The departments as a tree, in the order they came; those whose parent is not among them stand at the top. */
export function treeOf(departments: readonly RollupDepartment[]): Branch[] {
  const branches = departments.map((one): Branch => ({ ...one, below: [] }))
  const known = new Map(branches.flatMap((one) => (one.id === null ? [] : [[one.id, one] as const])))
  return branches.filter((one) => {
    const above = one.parent === null ? undefined : known.get(one.parent)
    above?.below.push(one)
    return above === undefined
  })
}
