/** Whether what is open beside a room takes the room's place, where there is space for both: a long page wants it. */
class Breadth {
  wide = $state(false)
}

export const breadth = new Breadth()
