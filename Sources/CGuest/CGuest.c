#define _GNU_SOURCE
#include "CGuest.h"

#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int cguest_load_module(int descriptor) {
  return syscall(SYS_finit_module, descriptor, "", 0) < 0 ? -errno : 0;
}

static int set_address(int control, struct ifreq *request, unsigned long operation,
                       uint32_t address) {
  struct sockaddr_in *in = (struct sockaddr_in *)&request->ifr_addr;
  memset(in, 0, sizeof *in);
  in->sin_family = AF_INET;
  in->sin_addr.s_addr = address;
  return ioctl(control, operation, request) < 0 ? -errno : 0;
}

static int bring_up(int control, const char *interface, uint32_t address, uint32_t mask) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  if (address != 0) {
    int result = set_address(control, &request, SIOCSIFADDR, address);
    if (result == 0) result = set_address(control, &request, SIOCSIFNETMASK, mask);
    if (result != 0) return result;
  }
  if (ioctl(control, SIOCGIFFLAGS, &request) < 0) return -errno;
  request.ifr_flags |= IFF_UP | IFF_RUNNING;
  return ioctl(control, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

int cguest_interface_up(const char *interface, uint32_t address, uint32_t mask) {
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) return -errno;
  int result = bring_up(control, interface, address, mask);
  close(control);
  return result;
}

int cguest_default_route(uint32_t gateway) {
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) return -errno;
  struct rtentry route;
  memset(&route, 0, sizeof route);
  struct sockaddr_in *destination = (struct sockaddr_in *)&route.rt_dst;
  struct sockaddr_in *mask = (struct sockaddr_in *)&route.rt_genmask;
  struct sockaddr_in *via = (struct sockaddr_in *)&route.rt_gateway;
  destination->sin_family = mask->sin_family = via->sin_family = AF_INET;
  via->sin_addr.s_addr = gateway;
  route.rt_flags = RTF_UP | RTF_GATEWAY;
  int result = ioctl(control, SIOCADDRT, &route) < 0 ? -errno : 0;
  close(control);
  return result;
}

int cguest_power_off(void) {
  sync();
  return reboot(RB_POWER_OFF) < 0 ? -errno : 0;
}
