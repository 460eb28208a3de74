"""Project 10: service on the border (北疆警地联动、爱民固边): a joint hall, rangers' posts, joint inspections."""
