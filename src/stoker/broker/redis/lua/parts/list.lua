-- needs: queue
-- Taking entries out of a list.

-- Take out what is at these places, all counted from the same end, in one pass: a removal for each would
-- go through all that is before it.
local function out_of_places(list, places)
  if #places == 0 then return end
  for n = 1, #places do call('LSET', list, places[n], '') end
  call('LREM', list, places[1] < 0 and -#places or #places, '')
end
