// The values that are shown cut, and the headings of tables that touch the next one.
() => {
  const text = document.createElement("canvas").getContext("2d"), faults = [];
  for (const control of document.querySelectorAll("#explorer select, #explorer input[type=text]")) {
    const look = getComputedStyle(control);
    const value = control.selectedOptions ? control.selectedOptions[0].text : control.value;
    text.font = look.font;
    const room = control.clientWidth - parseFloat(look.paddingLeft) - parseFloat(look.paddingRight);
    if (text.measureText(value).width > room) faults.push(value);
  }
  const range = document.createRange();
  for (const heading of document.querySelectorAll("#explorer th, #explorer thead td")) {
    range.selectNodeContents(heading);
    const next = heading.nextElementSibling;
    if (next && next.getBoundingClientRect().left < range.getBoundingClientRect().right + 5
        && heading.offsetParent) faults.push(heading.textContent);
  }
  return faults;
}
