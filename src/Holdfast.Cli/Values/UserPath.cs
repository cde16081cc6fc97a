using System.Runtime.InteropServices;
using Holdfast.Cli.Terminals;
using Holdfast.Files;
using Holdfast.Log;

namespace Holdfast.Cli.Values;

/// <summary>Paths as users write them.</summary>
internal static class UserPath
{
    private const int LongestWorkingDirectory = 64 << 10;

    /// <summary>The bytes of a path, absolute and normal; relative ones start at the working directory.</summary>
    /// <param name="path">At least one byte, no NUL.</param>
    public static byte[] ToAbsolute(ReadOnlySpan<byte> path) =>
        path[0] == BytePath.Separator ? BytePath.Normalize(path) : BytePath.ToAbsolute(path, WorkingDirectory());

    /// <summary>The same of a command-line argument.</summary>
    public static byte[] ToAbsolute(string path) => ToAbsolute(SurrogateEscape.Encode(path));

    private static unsafe byte[] WorkingDirectory()
    {
        byte[] path = new byte[LongestWorkingDirectory];
        fixed (byte* target = path)
        {
            if (LibC.GetWorkingDirectory(target, LongestWorkingDirectory) is null)
            {
                var errno = (Errno)Marshal.GetLastPInvokeError();
                throw new HoldfastException(ErrorKind.Failed, $"the working directory: {errno.Describe()}", "change to another, or give absolute paths");
            }
        }

        return path[..path.AsSpan().IndexOf((byte)0)];
    }
}
